import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './style/page.css';
import './style/callers.css';
import './style/timeline.css';
import './style/tour.css';
import './style/narrow.css';

import { createRoot } from 'react-dom/client';

import { Console } from './Console.jsx';
import { loadDemoUsers } from './callers/callers.js';

const demoUsers = await loadDemoUsers();
createRoot(document.getElementById('root')).render(<Console demoUsers={demoUsers} />);
