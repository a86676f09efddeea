import type { ConversionProblem } from '../convert/index.ts';
import type { Logger } from './component.ts';
import type { Telemetry } from './telemetry.ts';

export type ReportProblems = (problems: readonly ConversionProblem[]) => void;

/**
 * Counts what of segment documents did not come through the conversion on the way to one
 * destination. The first one is a warning that names the place; the others are for the debug log,
 * because a program that sends one odd member sends it always.
 */
export function createProblemReport({
  destination,
  telemetry,
  log,
}: {
  readonly destination: string;
  readonly telemetry: Telemetry;
  readonly log: Logger;
}): ReportProblems {
  let isKnown = false;
  return (problems) => {
    for (const problem of problems) {
      telemetry.count('raybridge_conversion_problems_total', { exporter: destination, lost: problem.lost });
      const message = 'a segment document did not come through the conversion whole';
      if (isKnown) log.debug({ ...problem, destination }, message);
      else
        log.warn(
          { ...problem, destination },
          `${message}; further ones are counted in raybridge_conversion_problems_total`,
        );
      isKnown = true;
    }
  };
}
