import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * Where AWS hands out credentials: the security token service (STS API reference, AssumeRole and
 * AssumeRoleWithWebIdentity), the container's endpoint (ECS), the instance's metadata (IMDSv2), and the
 * portal of IAM Identity Center. Each answer is another key, so a test sees what was fetched anew.
 */
export interface FakeCredentials {
  /** http://host:port */
  readonly url: string;
  /** What was asked, in order. */
  readonly asked: readonly Asked[];
  /** Later answers say so; undefined answers with status 500. An hour unless told. */
  expireInMs(ms: number | undefined): void;
  close(): Promise<void>;
}

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Of a form; empty otherwise. */
  readonly form: ReadonlyMap<string, string>;
}

const metadataToken = 'metadata-token';
const metadataPath = '/latest/meta-data/iam/security-credentials/';

export async function openFakeCredentials(address = { port: 0, host: '127.0.0.1' }): Promise<FakeCredentials> {
  const asked: Asked[] = [];
  let expireInMs: number | undefined = 3_600_000;
  let given = 0;

  /** Status and body. */
  const answer = ({ method, path, headers, form }: Asked): readonly [status: number, body: string] => {
    const expiration = new Date(Date.now() + (expireInMs ?? 0)).toISOString();
    if (method === 'PUT' && path === '/latest/api/token') return [200, metadataToken];
    if (path.startsWith('/latest/')) {
      if (headers['x-aws-ec2-metadata-token'] !== metadataToken) return [401, ''];
      if (path === '/latest/meta-data/placement/region') return [200, 'eu-west-1'];
      if (path === metadataPath) return [200, 'instance-role'];
    }
    if (expireInMs === undefined) return [500, ''];
    given++;
    const action = form.get('Action');
    if (action !== undefined) return [200, stsAnswer(action, `ASIASTS${given}`, expiration)];
    const keys = { SecretAccessKey: 'secret', Token: 'session', Expiration: expiration };
    if (path === `${metadataPath}instance-role`)
      return [200, JSON.stringify({ ...keys, Code: 'Success', AccessKeyId: `ASIAIMDS${given}` })];
    if (path.startsWith('/federation/credentials?')) {
      const roleCredentials = {
        accessKeyId: `ASIASSO${given}`,
        secretAccessKey: 'secret',
        sessionToken: 'session',
        expiration: Date.parse(expiration),
      };
      return [200, JSON.stringify({ roleCredentials })];
    }
    return path.startsWith('/container/')
      ? [200, JSON.stringify({ ...keys, AccessKeyId: `ASIACONTAINER${given}` })]
      : [404, ''];
  };

  const server = createServer((message, response) => {
    void buffer(message).then((body) => {
      const isForm = message.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
      const one: Asked = {
        method: message.method ?? '',
        path: message.url ?? '',
        headers: message.headers,
        form: new Map(isForm ? new URLSearchParams(body.toString()) : []),
      };
      asked.push(one);
      const [status, text] = answer(one);
      response.writeHead(status, { 'content-type': isForm ? 'text/xml' : 'application/json' }).end(text);
    });
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  return {
    url: `http://${address.host}:${(server.address() as AddressInfo).port}`,
    asked,
    expireInMs(ms) {
      expireInMs = ms;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function stsAnswer(action: string, accessKeyId: string, expiration: string): string {
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>
    <AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
    <SessionToken>session</SessionToken><Expiration>${expiration}</Expiration>
  </Credentials></${action}Result></${action}Response>`;
}
