import { parseJson } from '../codec/index.ts';
import { RaybridgeError } from '../errors.ts';
import { isJsonArray, isJsonObject } from '../model/index.ts';
import type { JsonObject, JsonValue } from '../model/index.ts';
import { matchesWildcards } from '../sampling/index.ts';

/**
 * Policy documents as far as their grammar goes (IAM user guide, "Grammar of the IAM JSON policy
 * language", of policies attached to a resource). What principals, actions and conditions exist is
 * not asked: a policy has no effect here.
 */

/**
 * @throws RaybridgeError POLICY_MALFORMED, naming the statement and the element.
 */
export function parsePolicy(text: string): Policy {
  const document = readObject(parseDocument(text), 'the policy');
  refuseOthers(document, ['Version', 'Id', 'Statement'], 'the policy');
  const version = document.get('Version');
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') {
    throw malformed('Version: expected 2012-10-17 or 2008-10-17');
  }
  optionalText(document, 'Id', 'the policy');

  const statement = document.get('Statement');
  const statements = isJsonArray(statement) ? statement : [statement];
  if (statements.length === 0) throw malformed('Statement: expected at least one');
  const read = statements.map((one, index) =>
    readStatement(one, isJsonArray(statement) ? `Statement[${index}]` : 'Statement'),
  );
  const sids = read.flatMap(({ sid }) => (sid === undefined ? [] : [sid]));
  if (new Set(sids).size < sids.length) throw malformed('Statement: expected every Sid once');
  return { statements: read };
}

export interface Policy {
  readonly statements: readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  /** `but` means everybody or everything that is not listed. */
  readonly principals: { readonly but: boolean; readonly names: readonly string[] };
  readonly actions: { readonly but: boolean; readonly patterns: readonly string[] };
  readonly conditional: boolean;
}

/** Whether the policy, once in force, would keep everybody from changing it: without signed requests nobody in particular can be meant. */
export function locksOut({ statements }: Policy): boolean {
  return statements.some(
    ({ effect, principals, actions, conditional }) =>
      effect === 'Deny' &&
      !conditional &&
      !principals.but &&
      principals.names.includes('*') &&
      actions.patterns.some((pattern) => matchesWildcards(pattern, 'xray:PutResourcePolicy')) !== actions.but,
  );
}

function parseDocument(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof RaybridgeError)) throw error;
    throw new RaybridgeError('POLICY_MALFORMED', `PolicyDocument: expected JSON: ${error.message}`, { cause: error });
  }
}

const statementElements = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];

function readStatement(value: JsonValue | undefined, place: string): PolicyStatement {
  const statement = readObject(value, place);
  refuseOthers(statement, statementElements, place);
  const sid = optionalText(statement, 'Sid', place);
  const effect = statement.get('Effect');
  if (effect !== 'Allow' && effect !== 'Deny') throw malformed(`${place}.Effect: expected Allow or Deny`);
  const principal = oneOf(statement, { plain: 'Principal', but: 'NotPrincipal', place });
  const action = oneOf(statement, { plain: 'Action', but: 'NotAction', place });
  if (statement.has('Resource') || statement.has('NotResource')) {
    const resource = oneOf(statement, { plain: 'Resource', but: 'NotResource', place });
    readTexts(resource.value, resource.place);
  }
  const condition = statement.get('Condition');
  if (condition !== undefined) readObject(condition, `${place}.Condition`);

  const patterns = readTexts(action.value, action.place);
  const wrong = patterns.find((pattern) => !actionPattern.test(pattern));
  if (wrong !== undefined) throw malformed(`${action.place}: expected actions such as xray:PutTraceSegments`);
  return {
    sid,
    effect,
    principals: { but: principal.but, names: readPrincipals(principal.value, principal.place) },
    actions: { but: action.but, patterns },
    conditional: isJsonObject(condition) && condition.size > 0,
  };
}

const actionPattern = /^(\*|[a-z0-9-]{1,64}:[A-Za-z0-9*?]{1,128})$/i;

/** An element that is written in one of two ways, and must be. */
function oneOf(
  statement: JsonObject,
  { plain, but, place }: { readonly plain: string; readonly but: string; readonly place: string },
): { readonly value: JsonValue | undefined; readonly but: boolean; readonly place: string } {
  if (statement.has(plain) === statement.has(but))
    throw malformed(`${place}: expected ${plain} or ${but}, and not both`);
  const name = statement.has(plain) ? plain : but;
  return { value: statement.get(name), but: name === but, place: `${place}.${name}` };
}

const principalKinds = ['AWS', 'Service', 'Federated', 'CanonicalUser'];

function readPrincipals(value: JsonValue | undefined, place: string): readonly string[] {
  if (value === '*') return ['*'];
  const kinds = readObject(value, place);
  refuseOthers(kinds, principalKinds, place);
  if (kinds.size === 0) throw malformed(`${place}: expected at least one principal`);
  return [...kinds].flatMap(([kind, names]) => readTexts(names, `${place}.${kind}`));
}

function readTexts(value: JsonValue | undefined, place: string): readonly string[] {
  const texts = isJsonArray(value) ? value : [value];
  const read = texts.filter((text): text is string => typeof text === 'string' && text !== '');
  if (read.length > 0 && read.length === texts.length) return read;
  throw malformed(`${place}: expected a string or a list of strings`);
}

function readObject(value: JsonValue | undefined, place: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw malformed(`${place}: expected an object`);
}

function optionalText(object: JsonObject, name: string, place: string): string | undefined {
  const value = object.get(name);
  if (value === undefined || typeof value === 'string') return value;
  throw malformed(`${place}: ${name}: expected a string`);
}

function refuseOthers(object: JsonObject, known: readonly string[], place: string): void {
  const other = [...object.keys()].find((name) => !known.includes(name));
  if (other === undefined) return;
  throw malformed(`${place}: expected ${known.join(', ')}, got ${JSON.stringify(other.slice(0, shownCharactersMax))}`);
}

const shownCharactersMax = 80;

function malformed(complaint: string): RaybridgeError {
  return new RaybridgeError('POLICY_MALFORMED', `PolicyDocument: ${complaint}`);
}
