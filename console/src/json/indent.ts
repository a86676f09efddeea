/**
 * JSON text with one member a line. It works on the text, not on parsed values, so that numbers
 * keep their digits: `1.499473411677E9` and 64-bit integers come out as they went in. Text that is
 * not JSON comes out readable all the same.
 */
export function indentJson(text: string, indent = '  '): string {
  const parts: string[] = [];
  let depth = 0;
  for (const [token] of text.matchAll(tokenPattern)) {
    if (token === '{' || token === '[') {
      depth += 1;
      parts.push(token, newLine(depth, indent));
    } else if (token === '}' || token === ']') {
      depth = Math.max(0, depth - 1);
      closeBlock(parts, token, newLine(depth, indent));
    } else if (token === ',') {
      parts.push(token, newLine(depth, indent));
    } else {
      parts.push(token === ':' ? ': ' : token);
    }
  }
  return parts.join('');
}

/** A string (closed or not), a structural character, or a run of anything else but white space. */
const tokenPattern = /"(?:[^"\\]|\\.)*"?|[{}[\],:]|[^\s{}[\],:"]+/gs;
const depthIndentedMax = 100;

function newLine(depth: number, indent: string): string {
  return `\n${indent.repeat(Math.min(depth, depthIndentedMax))}`;
}

/** An empty object or list stays on its line. */
function closeBlock(parts: string[], token: string, line: string): void {
  const opening = parts.at(-2);
  if (opening === '{' || opening === '[') parts.pop();
  else parts.push(line);
  parts.push(token);
}
