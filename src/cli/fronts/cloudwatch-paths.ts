import { join } from 'node:path';

/** Where the CloudWatch agent's package keeps things; elsewhere with RAYBRIDGE_CWAGENT_ROOT. */
export function agentPaths(env: NodeJS.ProcessEnv) {
  const root = env['RAYBRIDGE_CWAGENT_ROOT'] || '/opt/aws/amazon-cloudwatch-agent';
  return {
    /** Files that were fetched, each a configuration. */
    collected: join(root, 'etc', 'amazon-cloudwatch-agent.d'),
    environment: join(root, 'etc', 'env-config.json'),
    common: join(root, 'etc', 'common-config.toml'),
    log: join(root, 'logs', 'amazon-cloudwatch-agent.log'),
    pidFile: join(root, 'var', 'raybridge.pid'),
    data: join(root, 'var', 'raybridge'),
  };
}
