// Exits 0 where this Node is new enough to build the page: 20.19, or 22.12 and later.
const [major, minor] = process.versions.node.split(".").map(Number);
process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1);
