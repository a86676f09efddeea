import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../test/support/eventually.ts';
import { type FakeCredentials, openFakeCredentials } from '../../test/support/fake-credentials.ts';
import { createIdentity, type IdentityOptions } from './identity.ts';

/**
 * The credential chain against local files and servers. The AWS SDK reads the environment of the
 * process, so each test has one of its own. Where an address cannot be told (ECS), this file runs itself
 * again, in a network of its own.
 */
const here = fileURLToPath(import.meta.url);
if (process.argv[2] === 'askContainer') await askContainer(process.argv[3] ?? '');
else declareTests();

function declareTests(): void {
  const environment = { ...process.env };
  let folder: string;
  let fake: FakeCredentials;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'raybridge-identity-'));
    fake = await openFakeCredentials();
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, {
      HOME: folder,
      AWS_REGION: 'eu-west-1',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL_STS: fake.url,
      AWS_ENDPOINT_URL_SSO: fake.url,
    });
  });
  afterEach(async () => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, environment);
    await fake.close();
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  const keyOf = async (options: IdentityOptions = {}): Promise<string> =>
    (await createIdentity(options).credentials()).accessKeyId;
  const askedActions = (): readonly (string | undefined)[] => fake.asked.map(({ form }) => form.get('Action'));

  describe('credentials', () => {
    it('are those of the environment', async () => {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' });
      assert.deepEqual(await createIdentity({}).credentials(), {
        accessKeyId: 'AKIDENV',
        secretAccessKey: 's',
        sessionToken: 't',
      });
    });

    it('are those of a profile: configured, of AWS_PROFILE, or the default one', async () => {
      write('credentials', keys('default', 'AKIDDEFAULT') + keys('dev', 'AKIDDEV') + keys('prod', 'AKIDPROD'));
      assert.equal(await keyOf(), 'AKIDDEFAULT');
      process.env['AWS_PROFILE'] = 'dev';
      assert.equal(await keyOf(), 'AKIDDEV');
      assert.equal(await keyOf({ profile: 'prod' }), 'AKIDPROD');
      const sharedCredentialsFile = write('elsewhere', keys('prod', 'AKIDELSEWHERE'));
      assert.equal(await keyOf({ profile: 'prod', sharedCredentialsFile }), 'AKIDELSEWHERE');
    });

    it('of a profile win over those of the environment when a profile is named', async () => {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 's' });
      write('credentials', keys('dev', 'AKIDDEV'));
      assert.equal(await keyOf({ profile: 'dev' }), 'AKIDDEV');
    });

    it('are read anew from the file after AWS refused them', async () => {
      write('credentials', keys('default', 'AKIDOLD'));
      const identity = createIdentity({});
      assert.equal((await identity.credentials()).accessKeyId, 'AKIDOLD');
      write('credentials', keys('default', 'AKIDNEW'));
      assert.equal((await identity.credentials()).accessKeyId, 'AKIDOLD');
      identity.forget();
      assert.equal((await identity.credentials()).accessKeyId, 'AKIDNEW');
    });

    it('come from the program that a profile names', async () => {
      const answer = { Version: 1, AccessKeyId: 'AKIDPROCESS', SecretAccessKey: 's' };
      const program = write('program.mjs', `console.log(${JSON.stringify(JSON.stringify(answer))})`);
      write('config', `[profile tool]\ncredential_process = "${process.execPath}" "${program}"\n`);
      assert.equal(await keyOf({ profile: 'tool' }), 'AKIDPROCESS');
    });

    it('of a role are assumed with those of the chain', async () => {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 's' });
      const roleArn = 'arn:aws:iam::123456789012:role/writer';
      const credentials = await createIdentity({ roleArn, externalId: 'x', sessionName: 'agent' }).credentials();
      assert.equal(credentials.accessKeyId, 'ASIASTS1');
      assert.equal(credentials.sessionToken, 'session');
      const [asked] = fake.asked;
      assert.deepEqual(
        ['Action', 'RoleArn', 'ExternalId', 'RoleSessionName'].map((name) => asked?.form.get(name)),
        ['AssumeRole', roleArn, 'x', 'agent'],
      );
      assert.match(String(asked?.headers.authorization), /Credential=AKIDENV\/\d+\/eu-west-1\/sts\//);
    });

    it('of a role that a profile names are assumed with its source profile', async () => {
      write('credentials', keys('base', 'AKIDBASE'));
      write('config', '[profile role]\nrole_arn = arn:aws:iam::123456789012:role/a\nsource_profile = base\n');
      assert.equal(await keyOf({ profile: 'role' }), 'ASIASTS1');
      assert.match(String(fake.asked[0]?.headers.authorization), /Credential=AKIDBASE\//);
    });

    it('of a role are given for a web identity: of the environment (EKS), or as configured', async () => {
      const webIdentityTokenFile = write('token', 'a.web.token');
      Object.assign(process.env, {
        AWS_WEB_IDENTITY_TOKEN_FILE: webIdentityTokenFile,
        AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/pod',
      });
      assert.equal(await keyOf(), 'ASIASTS1');
      assert.equal(fake.asked[0]?.form.get('WebIdentityToken'), 'a.web.token');
      assert.equal(fake.asked[0]?.form.get('RoleArn'), 'arn:aws:iam::123456789012:role/pod');
      delete process.env['AWS_WEB_IDENTITY_TOKEN_FILE'];
      const roleArn = 'arn:aws:iam::123456789012:role/configured';
      assert.equal(await keyOf({ roleArn, webIdentityTokenFile }), 'ASIASTS2');
      assert.deepEqual(askedActions(), ['AssumeRoleWithWebIdentity', 'AssumeRoleWithWebIdentity']);
    });

    it('for a web identity are given for the token that the file holds by then', async () => {
      const webIdentityTokenFile = write('token', 'first');
      fake.expireInMs(60_000);
      const identity = createIdentity({ roleArn: 'arn:aws:iam::123456789012:role/a', webIdentityTokenFile });
      await identity.credentials();
      write('token', 'second');
      await identity.credentials();
      const [first, second] = await eventually('two calls', async () =>
        fake.asked.length > 1 ? fake.asked : undefined,
      );
      assert.deepEqual(
        [first, second].map((asked) => asked?.form.get('WebIdentityToken')),
        ['first', 'second'],
      );
    });

    it('come from the container, by its full address and with its token (EKS Pod Identity)', async () => {
      Object.assign(process.env, {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${fake.url}/container/pod`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: write('pod-token', 'pod'),
      });
      assert.equal(await keyOf(), 'ASIACONTAINER1');
      assert.deepEqual([fake.asked[0]?.path, fake.asked[0]?.headers.authorization], ['/container/pod', 'pod']);
      delete process.env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
      process.env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] = 'token of the variable';
      assert.equal(await keyOf(), 'ASIACONTAINER2');
      assert.equal(fake.asked[1]?.headers.authorization, 'token of the variable');
    });

    it('come from the container, by the relative address (ECS)', (t) => {
      const file = join(folder, 'result.json');
      const network = 'ip link set lo up && ip addr add 169.254.170.2/32 dev lo && exec "$0" "$@"';
      const words = ['-rn', 'sh', '-c', network, process.execPath, here, 'askContainer', file];
      const { status, stderr } = spawnSync('unshare', words, {
        env: {
          ...process.env,
          NODE_TEST_CONTEXT: undefined,
          AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/container/task',
        },
      });
      if (status !== 0 && /unshare|RTNETLINK|ip:/.test(String(stderr))) return t.skip('no right to make a network');
      assert.equal(status, 0, String(stderr));
      const result = JSON.parse(readFileSync(file, 'utf8'));
      assert.deepEqual(result, { accessKeyId: 'ASIACONTAINER1', path: '/container/task' });
    });

    it('come from the instance, for a token (IMDSv2); so does the region', async () => {
      delete process.env['AWS_EC2_METADATA_DISABLED'];
      delete process.env['AWS_REGION'];
      process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = fake.url;
      const identity = createIdentity({});
      assert.equal((await identity.credentials()).accessKeyId, 'ASIAIMDS1');
      assert.equal((await identity.region()).region, 'eu-west-1');
      assert.deepEqual(
        fake.asked.filter(({ method, headers }) => method === 'GET' && !headers['x-aws-ec2-metadata-token']),
        [],
      );
    });

    it('come from IAM Identity Center, for the token of a login', async () => {
      const sso = 'sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n';
      const session = 'sso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n';
      write('config', `[profile sso]\n${sso}[sso-session corp]\n${session}`);
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      const cached = `.aws/sso/cache/${createHash('sha1').update('corp').digest('hex')}.json`;
      write(cached, JSON.stringify({ accessToken: 'login', expiresAt, region: 'eu-west-1' }));
      assert.equal(await keyOf({ profile: 'sso' }), 'ASIASSO1');
      assert.equal(fake.asked[0]?.headers['x-amz-sso_bearer_token'], 'login');
      write(cached, JSON.stringify({ accessToken: 'login', expiresAt: '2020-01-01T00:00:00Z', region: 'eu-west-1' }));
      await assert.rejects(keyOf({ profile: 'sso' }), /aws sso login/);
    });
  });

  describe('credentials that end', () => {
    beforeEach(() => {
      process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `${fake.url}/container/task`;
    });

    it('are kept until five minutes before', async () => {
      const identity = createIdentity({});
      for (let i = 0; i < 3; i++) assert.equal((await identity.credentials()).accessKeyId, 'ASIACONTAINER1');
      assert.equal(fake.asked.length, 1);
    });

    it('are renewed in time, while the old ones still serve', async () => {
      fake.expireInMs(240_000);
      const identity = createIdentity({});
      assert.equal((await identity.credentials()).accessKeyId, 'ASIACONTAINER1');
      fake.expireInMs(3_600_000);
      const key = await eventually('new credentials', async () => {
        const { accessKeyId } = await identity.credentials();
        return accessKeyId === 'ASIACONTAINER1' ? undefined : accessKeyId;
      });
      assert.equal(key, 'ASIACONTAINER2');
      assert.equal(fake.asked.length, 2);
    });

    it('serve to their end when there are no new ones, and not beyond', async () => {
      fake.expireInMs(1_500);
      const identity = createIdentity({});
      assert.equal((await identity.credentials()).accessKeyId, 'ASIACONTAINER1');
      fake.expireInMs(undefined);
      assert.equal((await identity.credentials()).accessKeyId, 'ASIACONTAINER1');
      const failure = await eventually('an error', () =>
        identity.credentials().then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      assert.match(String(failure), /no AWS credentials/);
      fake.expireInMs(3_600_000);
      assert.match((await identity.credentials()).accessKeyId, /^ASIACONTAINER\d+$/);
    });
  });

  describe('without credentials', () => {
    it('the error names every place that was looked at, and what it held', async () => {
      await assert.rejects(keyOf(), (error: Error) => {
        assert.match(error.message, /^no AWS credentials\. Looked at: /);
        for (const place of [
          'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (not set)',
          `profile [default] of ${folder}/credentials and ${folder}/config`,
          'AWS_WEB_IDENTITY_TOKEN_FILE (not set)',
          'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI (not set)',
          'the metadata of the instance (off by AWS_EC2_METADATA_DISABLED)',
        ])
          assert.ok(error.message.includes(place), `${place}\nin: ${error.message}`);
        return true;
      });
    });

    it('the error says what the endpoint of the container answered', async () => {
      process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `${fake.url}/elsewhere`;
      await assert.rejects(keyOf(), new RegExp(`${fake.url}/elsewhere \\(.*404`));
    });

    it('the error names the profile that is nowhere', async () => {
      write('credentials', keys('default', 'AKIDDEFAULT'));
      await assert.rejects(keyOf({ profile: 'nobody' }), /profile \[nobody\]/);
    });

    it('nothing is remembered: what appears is used', async () => {
      const identity = createIdentity({});
      await assert.rejects(identity.credentials());
      write('credentials', keys('default', 'AKIDLATE'));
      assert.equal((await identity.credentials()).accessKeyId, 'AKIDLATE');
    });
  });
}

/** Plays an ECS task: the address of its credentials is fixed, so it needs a network of its own. */
async function askContainer(file: string): Promise<void> {
  const fake = await openFakeCredentials({ port: 80, host: '169.254.170.2' });
  const { accessKeyId } = await createIdentity({}).credentials();
  writeFileSync(file, JSON.stringify({ accessKeyId, path: fake.asked[0]?.path }));
  await fake.close();
}

function keys(profile: string, id: string): string {
  return `[${profile}]\naws_access_key_id = ${id}\naws_secret_access_key = secret\n`;
}
