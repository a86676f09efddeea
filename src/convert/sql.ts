import type { Attributes, JsonObject } from '../model/index.ts';
import type { DocumentView, Place, SpanView } from './section.ts';
import { objectOf, placeAt, rootPlace, setAttribute, showText, textAt, textOf, toInteger } from './section.ts';
import { hostInUrl, splitUrl } from './url.ts';

/** `sql` (AWS X-Ray developer guide, "SQL queries") from the database attributes of both generations. */

/** Older names of systems, and X-Ray's spellings, by the stable name (semantic conventions, `db.system.name`). */
const systemSpellings: ReadonlyMap<string, string> = new Map([
  ['db2', 'ibm.db2'],
  ['mssql', 'microsoft.sql_server'],
  ['sqlserver', 'microsoft.sql_server'],
  ['microsoft sql server', 'microsoft.sql_server'],
  ['oracle', 'oracle.db'],
  ['postgres', 'postgresql'],
  ['h2', 'h2database'],
  ['firebird', 'firebirdsql'],
  ['redshift', 'aws.redshift'],
  ['spanner', 'gcp.spanner'],
  ['hanadb', 'sap.hana'],
  ['maxdb', 'sap.maxdb'],
  ['informix', 'ibm.informix'],
  ['netezza', 'ibm.netezza'],
]);

/** Systems that speak SQL, by their stable names. */
export const sqlSystems: ReadonlySet<string> = new Set([
  ...systemSpellings.values(),
  'mysql',
  'mariadb',
  'postgresql',
  'sqlite',
  'derby',
  'hive',
  'teradata',
  'other_sql',
  'cockroachdb',
  'clickhouse',
  'hsqldb',
  'vertica',
  'trino',
  'ingres',
  'edb',
]);

export function databaseSystem(attributes: Attributes): string | undefined {
  return textOf(attributes, 'db.system.name') ?? textOf(attributes, 'db.system');
}

export function databaseName(attributes: Attributes): string | undefined {
  return textOf(attributes, 'db.namespace') ?? textOf(attributes, 'db.name');
}

export function writeSql(view: SpanView): JsonObject | undefined {
  const system = databaseSystem(view.attributes);
  if (system === undefined || !isSqlSystem(system)) return undefined;
  const type = showText(view, 'db.system.name', 'db.system');
  return objectOf({
    url: showText(view, 'aws.xray.sql.url') ?? assembledUrl(view.attributes) ?? connectionUrl(view.attributes),
    connection_string: showText(view, 'aws.xray.sql.connection_string', 'db.connection_string'),
    database_type: showText(view, 'aws.xray.sql.database_type') ?? type,
    database_version: showText(view, 'aws.xray.sql.database_version'),
    driver_version: showText(view, 'aws.xray.sql.driver_version'),
    user: showText(view, 'aws.xray.sql.user', 'db.user', 'user.name'),
    preparation: showText(view, 'aws.xray.sql.preparation'),
    sanitized_query: showText(view, 'db.query.text', 'db.statement'),
  });
}

export function isSqlSystem(system: string): boolean {
  return sqlSystems.has(stableSystem(system));
}

export function stableSystem(system: string): string {
  const lower = system.toLowerCase();
  return systemSpellings.get(lower) ?? lower;
}

/** `system://host:port/database`; X-Ray documents a URL here, not a statement. */
function assembledUrl(attributes: Attributes): string | undefined {
  const host = textOf(attributes, 'server.address') ?? textOf(attributes, 'net.peer.name');
  if (host === undefined) return undefined;
  const port = toInteger(attributes.get('server.port')) ?? toInteger(attributes.get('net.peer.port'));
  const name = databaseName(attributes);
  const scheme = databaseSystem(attributes) ?? 'sql';
  return `${scheme}://${hostInUrl(host)}${port === undefined ? '' : `:${port}`}${name === undefined ? '' : `/${name}`}`;
}

/** The connection string when it is a URL. Passwords were removed from it before. */
function connectionUrl(attributes: Attributes): string | undefined {
  const connection = textOf(attributes, 'db.connection_string');
  return connection !== undefined && splitUrl(connection)?.scheme !== undefined ? connection : undefined;
}

export function readSql(view: DocumentView): void {
  const sql = placeAt(view, rootPlace(view), 'sql');
  if (!sql) return;
  const { attributes } = view;
  const url = textAt(view, sql, 'url');
  readSystem(view, sql, url);
  readAddress(view, url);
  setAttribute(attributes, 'db.query.text', textAt(view, sql, 'sanitized_query'));
  for (const member of ['connection_string', 'database_version', 'driver_version', 'user', 'preparation'])
    setAttribute(attributes, `aws.xray.sql.${member}`, textAt(view, sql, member));
  if (url !== assembledUrl(attributes)) setAttribute(attributes, 'aws.xray.sql.url', url);
}

/** The system under its stable name; X-Ray's spelling, `PostgreSQL`, beside it where it differs. */
function readSystem(view: DocumentView, sql: Place, url: string | undefined): void {
  const type = textAt(view, sql, 'database_type');
  const scheme = url === undefined ? undefined : splitUrl(url)?.scheme;
  const system = stableSystem(type ?? scheme ?? 'other_sql');
  view.attributes.set('db.system.name', type === undefined && !sqlSystems.has(system) ? 'other_sql' : system);
  if (type !== system) setAttribute(view.attributes, 'aws.xray.sql.database_type', type);
}

function readAddress(view: DocumentView, url: string | undefined): void {
  const parts = url === undefined ? undefined : splitUrl(url);
  if (!parts?.scheme) return;
  setAttribute(view.attributes, 'server.address', parts.host);
  setAttribute(view.attributes, 'server.port', parts.port);
  setAttribute(view.attributes, 'db.namespace', parts.path?.slice(1) || undefined);
}
