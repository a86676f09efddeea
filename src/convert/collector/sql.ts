import type { JsonObject } from '../../model/index.ts';
import { objectOf } from '../section.ts';
import type { CollectorView } from './view.ts';
import { textIn } from './view.ts';

/** `sql`, by the rules of the Collector's exporter (sql.go): the older names of attributes and systems only. */

const sqlSystems: ReadonlySet<string> = new Set([
  'db2',
  'derby',
  'hive',
  'mariadb',
  'mssql',
  'mysql',
  'oracle',
  'postgresql',
  'sqlite',
  'teradata',
  'other_sql',
]);

/** The URL is the span's name, on purpose: the exporter's authors found a URL less useful there. */
export function writeSql({ span, rest }: CollectorView): JsonObject | undefined {
  const system = textIn(rest, 'db.system');
  if (!sqlSystems.has(system)) return undefined;
  const connection = textIn(rest, 'db.connection_string') || 'localhost';
  const sql = objectOf({
    connection_string: `${connection}/${textIn(rest, 'db.name')}`,
    url: span.name,
    sanitized_query: textIn(rest, 'db.statement'),
    database_type: system,
    user: textIn(rest, 'db.user'),
  });
  for (const key of ['db.connection_string', 'db.system', 'db.name', 'db.statement', 'db.user']) rest.delete(key);
  return sql;
}
