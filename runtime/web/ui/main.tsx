import { render } from 'preact';
import { Page } from './parts/page.tsx';
import { connect } from './store.ts';
// Vite makes a file of it.
import './style.css';

const place = document.getElementById('page');
if (place) render(<Page />, place);
connect();
