/**
 * Regular expressions of the Collector's configurations, which are Go's RE2, as those of JavaScript
 * (specification: configuration 1.15). What RE2 does not have is refused, so that a file stays one of
 * the Collector's; unlike RE2, JavaScript may take long over some, so the text is bounded.
 */

/** Longer texts are matched as far as this, in characters. */
const textCharactersMax = 64 * 1024;

export interface TextPattern {
  test(text: string): boolean;
  /** Named groups of the first match; undefined without one. */
  groups(text: string): Readonly<Record<string, string>> | undefined;
  /** Names of all groups; a group without a name is ''. */
  readonly groupNames: readonly string[];
}

/** @throws SyntaxError with a sentence that names what is wrong. */
export function compilePattern(source: string): TextPattern {
  if (/\(\?(?:=|!|<=|<!)/.test(source)) throw new SyntaxError('look-around is not part of RE2');
  if (/\\[1-9]/.test(source)) throw new SyntaxError('references to groups are not part of RE2');
  const [, inline = '', rest = source] = /^\(\?([imsU]+)\)(.*)$/s.exec(source) ?? [];
  const translated = rest
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\\z/g, '$')
    .replaceAll(/\\A/g, '^')
    .replaceAll(/\\p([LNPSZ])/g, String.raw`\p{$1}`);
  const flags = [...new Set(`${inline.replaceAll('U', '')}${/\\p\{/.test(translated) ? 'u' : ''}`)].join('');
  const pattern = new RegExp(translated, flags);
  const cut = (text: string): string => (text.length > textCharactersMax ? text.slice(0, textCharactersMax) : text);
  return {
    test: (text) => pattern.test(cut(text)),
    groups: (text) => pattern.exec(cut(text))?.groups,
    groupNames: [...translated.matchAll(/\\.|\((?!\?(?!<))(?:\?<(\w+)>)?/g)]
      .filter(([whole]) => !whole.startsWith('\\'))
      .map(([, name = '']) => name),
  };
}
