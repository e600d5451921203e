import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './console.css';

import { createRoot } from 'react-dom/client';

import { Console } from './Console.jsx';
import { loadDemoUsers } from './callers.js';

const demoUsers = await loadDemoUsers();
createRoot(document.getElementById('root')).render(<Console demoUsers={demoUsers} />);
