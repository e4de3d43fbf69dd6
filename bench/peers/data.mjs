// The catalogue in PostgreSQL, read by the statements that the gateway itself sends, and loaders over it.
import { readFileSync } from "node:fs";
import DataLoader from "dataloader";
import pg from "pg";

// A `Config` of bench/config.py.
export const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
export const port = Number(process.argv[3]);

const genres = named(config.genres);
const platforms = named(config.platforms);

const PAGE = 20;
const KINDS = ["free", "subscription", "rental", "purchase"];

// Ids of the catalogue are small enough for a number; moments stay text, as most are never shown.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text);

const pool = new pg.Pool({
  connectionString: config.database,
  options: Object.entries(config.settings).map(([name, value]) => `-c ${name}=${value}`).join(" "),
  max: config.pool_size,
  idleTimeoutMillis: 0,
});

// A statement with a name is prepared once per connection.
async function rows(name, values) {
  return (await pool.query({ name, text: config.statements[name], values })).rows;
}

export async function warmUp() {
  await Promise.all(Array.from({ length: config.pool_size }, () => pool.query("SELECT pg_sleep(0.05)")));
}

export class Loaders {
  constructor(accountId) {
    this.accountId = accountId;
  }

  get contents() {
    return (this._contents ??= new DataLoader(async (ids) => {
      const found = new Map((await rows("contents", [ids])).map((row) => [row.id, content(row)]));
      return ids.map((id) => found.get(id) ?? null);
    }));
  }

  get bySlug() {
    return (this._bySlug ??= new DataLoader(async (slugs) => {
      const found = new Map((await rows("by_slug", [slugs])).map((row) => [row.slug, row.id]));
      return slugs.map((slug) => found.get(slug) ?? null);
    }));
  }

  get credits() {
    return (this._credits ??= new DataLoader(async (ids) =>
      grouped(ids, await rows("credits", [ids]), "content_id", credit),
    ));
  }

  get offers() {
    return (this._offers ??= new DataLoader(async (ids) => {
      const found = await rows("offers", [ids, ids.map(() => config.region)]);
      return grouped(ids, standing(found), "part_id", offer);
    }));
  }

  get artwork() {
    return (this._artwork ??= new DataLoader(async (ids) =>
      grouped(ids, await rows("artwork", [ids]), "content_id", ({ url }) => ({ url })),
    ));
  }

  async browse(first = PAGE) {
    return (await rows("browse", [])).slice(0, first).map(content);
  }

  async continueWatching(first = PAGE) {
    const found = await rows("continue_watching", [this.accountId, new Date().toISOString()]);
    return found
      .slice(0, first)
      .map((row) => ({ contentId: row.content_id, positionSeconds: row.position_seconds }));
  }

  async watchlist(first = PAGE) {
    const found = await rows("watchlist", [this.accountId]);
    return found.slice(0, first).map((row) => ({ contentId: row.content_id, addedAt: moment(row.added_at) }));
  }
}

function content(row) {
  const kind = row.kind[0].toUpperCase() + row.kind.slice(1);
  return {
    __typename: kind,
    key: row.id,
    id: globalId(kind, row.id),
    title: row.title,
    year: row.year,
    genres: row.genres.map((id) => genres[id]),
  };
}

function credit(row) {
  return {
    role: row.role.toUpperCase(),
    character: row.character,
    person: { id: globalId("Person", row.person_id), name: row.name },
  };
}

function offer(row) {
  return {
    kind: row.kind.toUpperCase(),
    quality: row.quality || null,
    price: row.price === null ? null : { amount: row.price, currency: row.currency },
    platform: platforms[row.platform],
  };
}

// Those of now, cheapest way first.
function standing(offers) {
  const now = Date.now();
  return offers
    .filter(
      (row) =>
        (row.available_from === null || Date.parse(row.available_from) <= now) &&
        (row.expires_at === null || now < Date.parse(row.expires_at)),
    )
    .sort(
      (a, b) =>
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
        Number(a.price) - Number(b.price) ||
        (a.platform < b.platform ? -1 : Number(a.platform > b.platform)),
    );
}

function grouped(ids, found, key, build) {
  const groups = new Map(ids.map((id) => [id, []]));
  for (const row of found) groups.get(row[key]).push(build(row));
  return ids.map((id) => groups.get(id));
}

function named(words) {
  return Object.fromEntries(Object.entries(words).map(([id, name]) => [id, { id, name }]));
}

function globalId(kind, key) {
  return Buffer.from(`${kind}:${key}`).toString("base64url");
}

// PostgreSQL's `2026-01-02 03:04:05.67+00` as ISO 8601 with microseconds, which a Date would lose.
function moment(text) {
  const [, day, time, fraction] = /^(\S+) ([\d:]+)(?:\.(\d+))?\+00$/.exec(text);
  return `${day}T${time}${fraction ? `.${fraction.padEnd(6, "0")}` : ""}+00:00`;
}
