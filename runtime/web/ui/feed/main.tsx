import { render } from 'preact';
import { followTheme } from '../parts/theme.ts';
import { FeedPage } from './feed-page.tsx';
import { begin } from './live.ts';
// Vite makes a file of them.
import '../style/base.css';
import './feed.css';

followTheme();
const place = document.getElementById('page');
if (place) render(<FeedPage />, place);
void begin();
