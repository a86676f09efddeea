import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createConsoleQueryClient } from './api/queries.ts';
import './base.css';
import { fromAwsFragment } from './deepLink.ts';
import { createConsoleRouter } from './router.tsx';
import { applyStoredTheme } from './shell/theme.ts';

applyStoredTheme();

// A link copied from the AWS console carries its page in the fragment, which no server sees.
const target = fromAwsFragment(location.hash);
if (target) history.replaceState(undefined, '', target);

const mount = document.getElementById('root');
if (!mount) throw new Error('index.html has no element #root');
createRoot(mount).render(
  <StrictMode>
    <QueryClientProvider client={createConsoleQueryClient()}>
      <RouterProvider router={createConsoleRouter()} />
    </QueryClientProvider>
  </StrictMode>,
);
