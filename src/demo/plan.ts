/**
 * What the shop is made of and what goes wrong in it, in one place. Trouble is planned by order
 * number, so a demo shows the same picture each time and a test knows what to look for.
 */

export type Trouble = 'none' | 'fault' | 'slow' | 'throttle';

/** Dependencies that `--break NAME` can make fail. */
export const dependencies = ['database', 'object-store', 'search', 'table', 'price', 'stock', 'queue'] as const;
export type Dependency = (typeof dependencies)[number];

/** Order 1 is fine; then a fault, a slow call, a throttle, and so on. */
export function troubleOf(order: number): Trouble {
  const pattern: readonly Trouble[] = ['none', 'fault', 'slow', 'throttle', 'none', 'none', 'none', 'none'];
  return pattern[(order - 1) % pattern.length] ?? 'none';
}

/** The shop's processes, callees first. */
export const processes = ['backends', 'worker', 'queue', 'price', 'stock', 'front'] as const;
export type ProcessName = (typeof processes)[number];

export const slowCallMs = 1200;
