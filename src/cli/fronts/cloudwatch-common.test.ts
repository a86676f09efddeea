import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { applyCommonSettings } from './cloudwatch-common.ts';

describe('common-config.toml', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'raybridge-common-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function applied(text: string) {
    const file = join(folder, 'common-config.toml');
    writeFileSync(file, text);
    const env: NodeJS.ProcessEnv = { HTTPS_PROXY: 'http://before:1', OTHER: 'x' };
    const warnings: string[] = [];
    const settings = applyCommonSettings(file, env, (text) => void warnings.push(text.replace(`${folder}/`, '')));
    return { settings, env, warnings };
  }

  it('becomes variables of the environment, and the number of tries for instance metadata', () => {
    const { settings, env, warnings } = applied(`
# as shipped, with everything filled in
[credentials]
   shared_credential_profile = "AmazonCloudWatchAgent"
   shared_credential_file = '/home/user/.aws/credentials'
[proxy]
   http_proxy = "http://proxy:3128"
   https_proxy = "http://proxy:3128"
   no_proxy = "169.254.169.254"
[ssl]
   ca_bundle_path = "/etc/ssl/ca.pem"
[imds]
   imds_retries = 2
`);
    assert.deepEqual(settings, { imdsRetries: 2 });
    assert.deepEqual(env, {
      OTHER: 'x',
      AWS_PROFILE: 'AmazonCloudWatchAgent',
      AWS_SHARED_CREDENTIALS_FILE: '/home/user/.aws/credentials',
      HTTP_PROXY: 'http://proxy:3128',
      HTTPS_PROXY: 'http://proxy:3128',
      NO_PROXY: '169.254.169.254',
      AWS_CA_BUNDLE: '/etc/ssl/ca.pem',
    });
    assert.deepEqual(warnings, []);
  });

  it('may be empty, missing, or hold keys that nobody knows', () => {
    assert.deepEqual(applied('# nothing').settings, {});
    assert.deepEqual(applyCommonSettings(join(folder, 'none'), {}, assert.fail), {});
    const { env, warnings } = applied('region = "x"\n[proxy]\nftp_proxy = "y"\n');
    assert.equal(env['HTTPS_PROXY'], 'http://before:1');
    assert.deepEqual(warnings, [
      'common-config.toml: region: unknown key; sections are credentials, proxy, ssl and imds',
      'common-config.toml: proxy.ftp_proxy: unknown key, ignored',
    ]);
  });

  it('is refused with its place when it is no TOML, or a value is of another type', () => {
    assert.throws(() => applied('[proxy]\nhttp_proxy = oops\n'), /common-config\.toml:2:14: /);
    assert.throws(() => applied('[ssl]\nca_bundle_path = 5\n'), /ssl\.ca_bundle_path: expected text, got 5/);
    assert.throws(() => applied('[imds]\nimds_retries = -1\n'), /imds\.imds_retries: expected a whole number/);
  });
});
