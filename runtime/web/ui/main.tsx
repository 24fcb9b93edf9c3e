import { render } from 'preact';
import { connect } from './live.ts';
import { Page } from './parts/page.tsx';
import { followTheme } from './parts/theme.ts';
// Vite makes a file of them.
import './style/base.css';
import './style/frame.css';
import './style/actors.css';
import './style/chart.css';
import './style/log.css';
import './style/pages.css';

followTheme();
const place = document.getElementById('page');
if (place) render(<Page />, place);
connect();
