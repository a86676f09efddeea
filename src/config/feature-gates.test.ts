import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFeatureGates } from './feature-gates.ts';

describe('feature gates of the Collector', () => {
  const told = (...flags: readonly string[]) =>
    readFeatureGates(flags).problems.map(({ severity, path, text }) => `${severity}: ${path} ${text}`);

  it('that are as they are here are not worth a warning', () => {
    const flags = '+exporter.xray.allowDot,exporter.awsxray.skiptimestampvalidation,-confmap.enableMergeAppendOption';
    assert.deepEqual(
      told(flags, 'component.UseLocalHostAsDefaultHost').filter((line) => !line.startsWith('info: ')),
      [],
    );
  });

  it('that are wanted the other way round say what that comes to', () => {
    assert.deepEqual(told('-exporter.xray.allowDot, +processor.tailsamplingprocessor.recordpolicy'), [
      'warning: --feature-gates -exporter.xray.allowDot has no effect; annotation keys keep their dots',
      'warning: --feature-gates +processor.tailsamplingprocessor.recordpolicy has no effect; the policy is counted in raybridge_sampling_verdicts_total instead',
    ]);
  });

  it('that nobody knows are a warning', () => {
    assert.deepEqual(told('+a.b'), ['warning: --feature-gates +a.b is not known here and has no effect']);
  });

  it('that are stable cannot be switched off', () => {
    assert.match(told('-component.UseLocalHostAsDefaultHost')[0] ?? '', /^error: .* cannot be switched off/);
  });

  it('append lists when that is wanted, the last word counting', () => {
    const gate = 'confmap.enableMergeAppendOption';
    assert.equal(readFeatureGates([]).appendsLists, false);
    assert.equal(readFeatureGates([gate]).appendsLists, true);
    assert.equal(readFeatureGates([`+${gate}`, `-${gate}`]).appendsLists, false);
  });
});
