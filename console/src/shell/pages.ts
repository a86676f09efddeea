import type { IconName } from './Icon.tsx';

type PagePath =
  | '/'
  | '/map'
  | '/traces'
  | '/services'
  | '/exceptions'
  | '/insights'
  | '/sampling'
  | '/groups'
  | '/pipelines';

/** The pages of the rail, the palette and the `g` keys. */
export const pages: readonly {
  readonly to: PagePath;
  readonly label: string;
  readonly icon: IconName;
  readonly key: string;
}[] = [
  { to: '/', label: 'Home', icon: 'home', key: 'g h' },
  { to: '/map', label: 'Trace map', icon: 'map', key: 'g m' },
  { to: '/traces', label: 'Traces', icon: 'traces', key: 'g t' },
  { to: '/services', label: 'Services', icon: 'services', key: 'g v' },
  { to: '/exceptions', label: 'Exceptions', icon: 'exceptions', key: 'g x' },
  { to: '/insights', label: 'Insights', icon: 'insights', key: 'g i' },
  { to: '/sampling', label: 'Sampling', icon: 'sampling', key: 'g s' },
  { to: '/groups', label: 'Groups', icon: 'groups', key: 'g g' },
  { to: '/pipelines', label: 'Pipelines', icon: 'pipelines', key: 'g p' },
];
