import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { HomePage } from './home/HomePage.tsx';
import { printSearch, readSearch } from './search.ts';
import { Failure } from './shell/EmptyState.tsx';
import { NotFound } from './shell/NotFound.tsx';
import { Shell } from './shell/Shell.tsx';
import { TracePage } from './trace/TracePage.tsx';
import { TracesPage } from './traces/TracesPage.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, validateSearch: readSearch });

const home = createRoute({ getParentRoute: () => root, path: '/', component: HomePage });
const traces = createRoute({ getParentRoute: () => root, path: '/traces', component: TracesPage });
const trace = createRoute({ getParentRoute: () => root, path: '/traces/$id', component: TracePage });
const map = createRoute({
  getParentRoute: () => root,
  path: '/map',
  component: lazyRouteComponent(() => import('./map/MapPage.tsx'), 'MapPage'),
});
/** Where the AWS console has its pages; main.tsx has already followed the fragment, if there was one. */
const aws = createRoute({
  getParentRoute: () => root,
  path: '/xray/home',
  beforeLoad: () => {
    throw redirect({ to: '/traces' });
  },
});

const services = createRoute({
  getParentRoute: () => root,
  path: '/services',
  component: lazyRouteComponent(() => import('./services/ServicesPage.tsx'), 'ServicesPage'),
});
const service = createRoute({
  getParentRoute: () => root,
  path: '/services/$name',
  component: lazyRouteComponent(() => import('./services/ServicePage.tsx'), 'ServicePage'),
});
const exceptions = createRoute({
  getParentRoute: () => root,
  path: '/exceptions',
  component: lazyRouteComponent(() => import('./exceptions/ExceptionsPage.tsx'), 'ExceptionsPage'),
});
const insights = createRoute({
  getParentRoute: () => root,
  path: '/insights',
  component: lazyRouteComponent(() => import('./insights/InsightsPage.tsx'), 'InsightsPage'),
});
const insight = createRoute({
  getParentRoute: () => root,
  path: '/insights/$id',
  component: lazyRouteComponent(() => import('./insights/InsightPage.tsx'), 'InsightPage'),
});
const compare = createRoute({
  getParentRoute: () => root,
  path: '/compare',
  component: lazyRouteComponent(() => import('./compare/ComparePage.tsx'), 'ComparePage'),
});
const sampling = createRoute({
  getParentRoute: () => root,
  path: '/sampling',
  component: lazyRouteComponent(() => import('./sampling/SamplingPage.tsx'), 'SamplingPage'),
});
const groups = createRoute({
  getParentRoute: () => root,
  path: '/groups',
  component: lazyRouteComponent(() => import('./groups/GroupsPage.tsx'), 'GroupsPage'),
});
const pipelines = createRoute({
  getParentRoute: () => root,
  path: '/pipelines',
  component: lazyRouteComponent(() => import('./pipelines/PipelinesPage.tsx'), 'PipelinesPage'),
});

const routeTree = root.addChildren([
  home,
  traces,
  trace,
  map,
  services,
  service,
  exceptions,
  insights,
  insight,
  compare,
  sampling,
  groups,
  pipelines,
  aws,
]);

export function createConsoleRouter() {
  return createRouter({
    routeTree,
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: printSearch,
    defaultPreload: false,
    // A mistake in one page leaves the frame and the way to the other pages.
    defaultErrorComponent: ({ error, reset }) => (
      <Failure error={error instanceof Error ? error : new Error(String(error))} onRetry={reset} />
    ),
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
