import { RaybridgeError } from '../../errors.ts';
import { parsePageToken, printPageToken } from '../../query/index.ts';

/**
 * One page of a short list that was read whole. Pages go on after a key, so that what is
 * added or removed between two of them neither repeats nor hides anything else.
 * @throws RaybridgeError INVALID_REQUEST (a token of another question).
 */
export function pageOf<Entry>({
  entries,
  keyOf,
  size,
  request,
  nextToken,
}: {
  /** By key, as `<` orders them. */
  readonly entries: readonly Entry[];
  /** Differs for each entry. */
  readonly keyOf: (entry: Entry) => string;
  readonly size: number;
  /** What a token is bound to. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly nextToken: string | undefined;
}): { readonly page: readonly Entry[]; readonly next: { readonly NextToken?: string } } {
  const after = nextToken ? readToken(nextToken, request) : undefined;
  const rest = after === undefined ? entries : entries.filter((entry) => keyOf(entry) > after);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length) return { page, next: {} };
  return { page, next: { NextToken: printPageToken({ request, position: { after: keyOf(last) } }) } };
}

function readToken(token: string, request: Readonly<Record<string, unknown>>): string {
  const { after } = parsePageToken(token, request);
  if (typeof after === 'string') return after;
  throw new RaybridgeError('INVALID_REQUEST', 'NextToken: expected the token of the page before, got something else');
}
