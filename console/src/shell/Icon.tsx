import type { JSX } from 'react';

/** Line drawings on a grid of 16, for buttons that also have a name. */
const paths = {
  home: 'M2.5 7.5 8 3l5.5 4.5M4 6.8V13h8V6.8',
  traces: 'M2.5 4h7M5 8h8.5M4 12h6',
  map: 'M4 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM12 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM4 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM5.5 4.3l5 3M5.5 11.7l5-3',
  services: 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.1M5 11h.1',
  exceptions: 'M8 2.5 14 13H2zM8 6.5v3M8 11.2v.3',
  insights: 'M2.5 12.5 6 8l2.5 2.5 5-6M10 4.5h3.5V8',
  sampling: 'M2.5 3h11L9.5 8v5l-3-1.5V8z',
  groups: 'M3 3h4v4H3zM9 3h4v4H9zM3 9h4v4H3zM9 9h4v4H9z',
  pipelines: 'M2 5h5v6H2zM9.5 2.5H14v4H9.5zM9.5 9.5H14v4H9.5zM7 8h1.5M8.5 4.5v7M8.5 4.5h1M8.5 11.5h1',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  check: 'M3 8.5 6.5 12 13 4.5',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.5 10.5l3 3',
  close: 'M4 4l8 8M12 4l-8 8',
  chevron: 'M6 4l4 4-4 4',
  collapse: 'M3 3h10M5.5 8 8 5.5 10.5 8M3 13h10',
  expand: 'M3 3h10M5.5 6.5 8 9l2.5-2.5M3 13h10',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  system: 'M2.5 3.5h11v7h-11zM6 13.5h4M8 10.5v3',
  light:
    'M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1',
  dark: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z',
  help: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.3 6.3A1.8 1.8 0 1 1 8 8.3v1M8 11.2v.3',
  rail: 'M2.5 3h11v10h-11zM6 3v10',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  download: 'M8 2.5v7M5 7l3 3 3-3M3 13h10',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path
        d={paths[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
