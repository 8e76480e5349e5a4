import type { NewServiceKey, ServiceKey } from '#libs/service-keys';

/** A key in a list: never its secret. */
export function presentKey({ id, name, publicId, hint, createdMs, lastUsedMs }: ServiceKey) {
  return { id, name, ...(publicId === null ? {} : { client_id: publicId }), hint, created: createdMs, last_used: lastUsedMs };
}

/** A key that was just made: the only answer that holds its secret, under the name that its API knows it by. */
export function presentNewKey(key: NewServiceKey, secretName: 'client_secret' | 'api_key' | 'developer_key') {
  return { ...presentKey(key), [secretName]: key.secret };
}
