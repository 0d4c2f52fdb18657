-- A token bucket: a caller may spend so many tokens at once, and they come back at a steady rate.
--
-- KEYS[1]  the bucket, a hash of its level and the time of that level
-- ARGV[1]  capacity: tokens in a full bucket
-- ARGV[2]  rate: tokens that come back in a second
-- ARGV[3]  cost: tokens asked for
--
-- Returns 1 and the tokens left, or 0 and how long, in milliseconds, until there are enough.

local capacity, rate, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local level, at = tonumber(bucket[1]) or capacity, tonumber(bucket[2]) or now
level = math.min(capacity, level + math.max(0, now - at) * rate / 1000)

if level < cost then
  return {0, math.ceil((cost - level) * 1000 / rate)}
end
level = level - cost
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity * 1000 / rate))
return {1, math.floor(level)}
