import { setTimeout as wait } from 'node:timers/promises';
import { serve } from './http.ts';
import { type Dependency, slowCallMs } from './plan.ts';

/**
 * The things a shop does not trace itself: a database, an object store, a search engine and a
 * DynamoDB table, as far as their callers can tell. They appear on the map only through the calls
 * made to them.
 */
const broken = process.env['SHOP_BREAK'] as Dependency | undefined;

const usualMs: Readonly<Record<string, number>> = { database: 8, 'object-store': 15, search: 12, table: 6 };

await serve(0, async ({ path, body }) => {
  const name = path.slice(1);
  if (name === broken) return { status: 503, body: { message: `${name} is out of order` } };
  const trouble = body['trouble'];
  if (name === 'database' && trouble === 'fault') {
    return { status: 500, body: { message: 'deadlock detected while updating relation "goods"' } };
  }
  if (name === 'object-store' && trouble === 'slow') await wait(slowCallMs);
  if (name === 'table' && trouble === 'throttle') {
    return {
      status: 400,
      body: { message: 'The level of configured provisioned throughput for the table was exceeded' },
    };
  }
  await wait(usualMs[name] ?? 1);
  return { status: 200, body: { rows: 1 } };
});
