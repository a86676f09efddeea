import type { Trace } from '../api/answers.ts';
import { asText, memberAt, parseJson } from '../json/read.ts';

/** The sampling rule that the X-Ray SDK wrote into a segment when it decided. */
export function recordedRule({ Segments }: Pick<Trace, 'Segments'>): string | undefined {
  for (const { Document } of Segments) {
    const name = asText(memberAt(parseJson(Document), 'aws', 'xray', 'sampling_rule_name'));
    if (name !== undefined) return name;
  }
  return undefined;
}
