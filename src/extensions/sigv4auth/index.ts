import { z } from 'zod';
import { createIdentity } from '../../aws/identity.ts';
import { signRequest } from '../../aws/sign.ts';
import type { Extension, ExtensionFactory } from '../../pipeline/component.ts';

const configSchema = z.strictObject({
  /** Else that of the host name, else that of the environment. */
  region: z.string().default(''),
  /** Else that of the host name: `xray` of `xray.eu-west-1.amazonaws.com`. */
  service: z.string().default(''),
  assume_role: z
    .strictObject({
      arn: z.string().default(''),
      session_name: z.string().default(''),
      sts_region: z.string().default(''),
      web_identity_token_file: z.string().default(''),
      external_id: z.string().default(''),
    })
    .prefault({}),
});

/** Signs the requests of an exporter, as AWS's own endpoints want them (Signature Version 4). */
export const sigv4auth: ExtensionFactory = {
  kind: 'extension',
  type: 'sigv4auth',
  configSchema,
  create({ config, context }): Extension {
    // The register has checked `config` with the schema above.
    const { region, service, assume_role: role } = config as z.output<typeof configSchema>;
    const identity = createIdentity({
      region,
      roleArn: role.arn,
      externalId: role.external_id,
      sessionName: role.session_name || undefined,
      stsRegion: role.sts_region,
      webIdentityTokenFile: role.web_identity_token_file,
    });
    return {
      async start() {},
      async shutdown() {},
      authenticator: {
        async authorize(request) {
          const [, hostService, hostRegion] =
            /^([a-z0-9-]+)\.([a-z0-9-]+)\.amazonaws\.com/.exec(request.url.hostname) ?? [];
          const signed = await signRequest(request, {
            service: service || hostService || 'xray',
            region: region || hostRegion || (await identity.region()).region,
            credentials: await identity.credentials(),
            signedAtMs: Number(context.nowNs() / 1_000_000n),
          });
          return Object.fromEntries(
            Object.entries(signed).filter(([name]) => name !== 'host' && !(name in request.headers)),
          );
        },
      },
    };
  },
};
