/**
 * Older keys by their stable successors (semantic conventions, "HTTP" and "database" migration).
 * The document shows a value once; the envelope says under which name the span had it.
 */
export const successors: ReadonlyMap<string, string> = new Map([
  ['http.method', 'http.request.method'],
  ['http.status_code', 'http.response.status_code'],
  ['http.url', 'url.full'],
  ['http.scheme', 'url.scheme'],
  ['http.user_agent', 'user_agent.original'],
  ['http.client_ip', 'client.address'],
  ['http.response_content_length', 'http.response.body.size'],
  ['http.host', 'server.address'],
  ['net.host.name', 'server.address'],
  ['net.host.port', 'server.port'],
  ['net.peer.name', 'server.address'],
  ['net.peer.port', 'server.port'],
  ['db.system', 'db.system.name'],
  ['db.name', 'db.namespace'],
  ['db.statement', 'db.query.text'],
  ['db.user', 'aws.xray.sql.user'],
  ['db.connection_string', 'aws.xray.sql.connection_string'],
  ['user.id', 'enduser.id'],
  ['aws.requestId', 'aws.request_id'],
  ['aws.topic_arn', 'aws.sns.topic.arn'],
  ['aws.lambda.invoked_arn', 'aws.function_arn'],
]);
