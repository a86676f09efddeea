import { closeBrace, comma } from '../../codec/json-bytes.ts';
import { decodeText } from '../../codec/utf8.ts';
import { isSqlSystem, stableSystem } from '../../convert/sql.ts';
import { keyNumber } from './attribute-keys.ts';
import type { Draft } from './draft.ts';
import { literal } from './page.ts';

/** `sql` of a subsegment, as the conversion's `sql.ts` writes and reads it. */

const system = keyNumber('db.system.name');
const systemOlder = keyNumber('db.system');
const database = keyNumber('db.namespace');
const databaseOlder = keyNumber('db.name');
const query = keyNumber('db.query.text');
const queryOlder = keyNumber('db.statement');
const user = keyNumber('db.user');
const userName = keyNumber('user.name');
const userRestored = keyNumber('aws.xray.sql.user');
const serverAddress = keyNumber('server.address');
const serverPort = keyNumber('server.port');
const peerName = keyNumber('net.peer.name');
const peerPort = keyNumber('net.peer.port');

const memberSql = literal(',"sql":{');
const memberUrl = literal('"url":');
const memberType = literal('"database_type":');
const memberUser = literal('"user":');
const memberQuery = literal('"sanitized_query":');

export function writeSql(draft: Draft): void {
  const { page, restored } = draft;
  if (!isSqlSpan(draft)) return;
  const systemPlace = draft.has(system) ? draft.place(system) : draft.place(systemOlder);
  const systemText = decodeText(page.view, draft.start(systemPlace), draft.end(systemPlace));

  // Other spellings lead to attributes of their own.
  if (stableSystem(systemText) !== systemText) draft.isUsual = false;
  draft.hasSql = true;
  page.put(memberSql);
  const start = page.pos;
  writeUrl(draft, systemPlace);
  draft.showFirst(system, systemOlder);
  writeText(draft, start, memberType, systemPlace, system);
  writeText(draft, start, memberUser, draft.showFirst(user, userName), userRestored);
  writeText(draft, start, memberQuery, draft.showFirst(query, queryOlder), query);
  page.byte(closeBrace);
  restored.text(system, draft.start(systemPlace), draft.end(systemPlace));
}

export function isSqlSpan(draft: Draft): boolean {
  const place = draft.has(system) ? draft.place(system) : draft.place(systemOlder);
  return place >= 0 && isSqlSystem(decodeText(draft.page.view, draft.start(place), draft.end(place)));
}

function writeText(draft: Draft, objectStart: number, member: Uint8Array, place: number, key: number): void {
  if (place < 0) return;
  const { page } = draft;
  if (page.pos > objectStart) page.byte(comma);
  page.put(member);
  page.text(draft.start(place), draft.end(place));
  draft.restored.text(key, draft.start(place), draft.end(place));
}

/** `system://host:port/database`, when the host is known. Its parts do not count as shown: a reader may get them elsewhere. */
function writeUrl(draft: Draft, systemPlace: number): void {
  const { page, url, restored } = draft;
  const host = draft.has(serverAddress) ? draft.place(serverAddress) : draft.place(peerName);
  if (host < 0) return;
  const port = draft.has(serverPort) ? draft.place(serverPort) : draft.place(peerPort);
  const name = draft.has(database) ? draft.place(database) : draft.place(databaseOlder);
  const start = page.scratch;
  const isWhole =
    page.gather(draft.start(systemPlace), draft.end(systemPlace)) &&
    page.gatherAscii('://') &&
    page.gather(draft.start(host), draft.end(host)) &&
    (port < 0 || page.gatherAscii(`:${draft.number(port)}`)) &&
    (name < 0 || (page.gatherAscii('/') && page.gather(draft.start(name), draft.end(name))));
  const end = page.scratch;
  page.put(memberUrl);
  page.text(start, end);

  // A reader takes the URL apart; it must get the parts that it was made of.
  const isSame =
    isWhole &&
    url.read(start, end) &&
    url.isAbsolute &&
    !url.hasQuery &&
    page.same(url.hostStart, url.hostEnd, draft.start(host), draft.end(host)) &&
    url.port === (port < 0 ? -1 : draft.number(port)) &&
    (name < 0
      ? url.pathEnd === url.pathStart
      : page.same(url.pathStart + 1, url.pathEnd, draft.start(name), draft.end(name)));
  if (!isSame) draft.isUsual = false;
  restored.text(serverAddress, url.hostStart, url.hostEnd);
  if (url.port >= 0) restored.integer(serverPort, url.port);
  if (name >= 0) restored.text(database, url.pathStart + 1, url.pathEnd);
}
