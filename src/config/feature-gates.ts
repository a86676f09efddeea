/** `--feature-gates=+a,-b,c` of the Collector (specification: configuration 1.7). */
import { type Problem, error, info, warning } from './message.ts';
import { wholeSource } from './tree.ts';

export interface FeatureGates {
  /** `confmap.enableMergeAppendOption`: lists of extensions and pipelines in later files are appended. */
  readonly appendsLists: boolean;
  readonly problems: readonly Problem[];
}

/** What a known gate means here. */
interface Gate {
  /** As the Collector has it. */
  readonly isOn: boolean;
  /** Completes "FLAG …" when it is asked for the other way round; undefined where that has its effect. */
  readonly otherwise: string | undefined;
  /** There is no other way round in the Collector either. */
  readonly isStable?: boolean;
}

const appendGate = 'confmap.enableMergeAppendOption';

const gates: ReadonlyMap<string, Gate> = new Map<string, Gate>([
  ['exporter.xray.allowDot', { isOn: true, otherwise: 'has no effect; annotation keys keep their dots' }],
  [
    'exporter.awsxray.skiptimestampvalidation',
    { isOn: true, otherwise: 'has no effect; trace ids are never refused for their age' },
  ],
  [
    'processor.filter.defaultErrorModeIgnore',
    { isOn: true, otherwise: 'has no effect; write error_mode: propagate at the filter' },
  ],
  [
    'processor.tailsamplingprocessor.recordpolicy',
    { isOn: false, otherwise: 'has no effect; the policy is counted in raybridge_sampling_verdicts_total instead' },
  ],
  [
    'component.UseLocalHostAsDefaultHost',
    { isOn: true, isStable: true, otherwise: 'is stable and cannot be switched off; name the address to listen on' },
  ],
  [appendGate, { isOn: false, otherwise: undefined }],
]);

/** `flags`: the values of the option, each a list with commas. */
export function readFeatureGates(flags: readonly string[]): FeatureGates {
  const position = wholeSource('command line');
  const problems: Problem[] = [];
  let appendsLists = false;
  const words = flags.flatMap((flag) => flag.split(',')).map((word) => word.trim());
  for (const word of words.filter((text) => text !== '')) {
    const isWanted = !word.startsWith('-');
    const name = word.replace(/^[+-]/, '');
    const path = `--feature-gates ${word}`;
    const gate = gates.get(name);
    if (!gate) {
      problems.push(warning(position, path, 'is not known here and has no effect', { original: unknown(name) }));
    } else if (gate.otherwise === undefined) appendsLists = isWanted;
    else if (isWanted === gate.isOn) problems.push(info(position, path, 'is so here anyway'));
    else problems.push((gate.isStable ? error : warning)(position, path, gate.otherwise));
  }
  return { appendsLists, problems };
}

function unknown(name: string): string {
  return `no such feature gate ${JSON.stringify(name)}`;
}
