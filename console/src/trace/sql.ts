/** Where a line of its own begins: a clause of a statement. */
const clauses =
  /^(?:SELECT|FROM|WHERE|GROUP BY|ORDER BY|HAVING|LIMIT|OFFSET|UNION(?: ALL)?|VALUES|SET|RETURNING|ON CONFLICT|(?:(?:LEFT|RIGHT|FULL|INNER|CROSS)(?: OUTER)? )?JOIN)$/i;
/** Indented below its clause. */
const conjunctions = /^(?:AND|OR)$/i;

/** Quoted texts and comments whole, words with their phrase, one symbol at a time, blanks. */
const tokens =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*.*?\*\/|(?:GROUP|ORDER)\s+BY\b|UNION\s+ALL\b|ON\s+CONFLICT\b|(?:LEFT|RIGHT|FULL|INNER|CROSS)(?:\s+OUTER)?\s+JOIN\b|[\w$@:#.?]+|\s+|[^\s\w]/gis;

/**
 * A statement with its clauses on lines of their own, and what stands in parentheses indented. Blanks
 * apart, nothing in it changes, whatever it is; what has its own lines keeps them.
 */
export function formatSql(text: string): string {
  if (/\n/.test(text.trim())) return text.trim();
  let out = '';
  let depth = 0;
  for (const token of text.trim().match(tokens) ?? []) {
    if (/^\s+$/.test(token)) {
      if (!/\s$/.test(out)) out += ' ';
      continue;
    }
    const isBelow = conjunctions.test(token) && !isBetween(out);
    if ((clauses.test(token.replaceAll(/\s+/g, ' ')) || isBelow) && out !== '' && !isInCall(out)) {
      out = `${out.trimEnd()}\n${'  '.repeat(depth + (isBelow ? 1 : 0))}`;
    }
    if (token === '(') depth += 1;
    if (token === ')') depth = Math.max(0, depth - 1);
    out += token.startsWith('--') ? `${token}\n` : token;
  }
  return out.trim();
}

/** `BETWEEN 1 AND 2` is one condition. */
function isBetween(out: string): boolean {
  return /\bBETWEEN\s+\S+\s*$/i.test(out);
}

/** Right behind a parenthesis, as in `(SELECT`, no line begins. */
function isInCall(out: string): boolean {
  return /\(\s*$/.test(out);
}
