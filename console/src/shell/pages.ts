import type { IconName } from './Icon.tsx';

/** The pages of the rail, the palette and the `g` keys. */
export const pages: readonly {
  readonly to: '/' | '/map' | '/traces';
  readonly label: string;
  readonly icon: IconName;
  readonly key: string;
}[] = [
  { to: '/', label: 'Home', icon: 'home', key: 'g h' },
  { to: '/map', label: 'Trace map', icon: 'map', key: 'g m' },
  { to: '/traces', label: 'Traces', icon: 'traces', key: 'g t' },
];
