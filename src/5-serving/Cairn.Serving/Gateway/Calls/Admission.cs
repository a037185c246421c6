using System.Security.Cryptography;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>Who may call what, and how much of it.</summary>
internal static class Admission
{
    /// <summary>The live key that a request shows, in any of the headers that clients use; null for every reason not to be let in, which are not told apart.</summary>
    public static (GatewayKey Key, KeyAccount Account)? Authenticate(HttpRequest request, GatewayState state, DateTimeOffset now)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (!ApiKey.TryHash(Shown(request), hash, out var id) || state.FindKey(id) is not { } found)
            return null;
        return CryptographicOperations.FixedTimeEquals(hash, found.Key.SecretHash.Span) && Lives(found.Key, state, now) ? found : null;
    }

    /// <summary>The key in whose name a request comes from inside, if it lives.</summary>
    public static (GatewayKey Key, KeyAccount Account)? Living(KeyId key, GatewayState state, DateTimeOffset now) =>
        state.FindKey(key) is { } found && Lives(found.Key, state, now) ? found : null;

    /// <summary>What a caller without a live key is told: before the first snapshot came, no key is known, and that is no fault of the caller's.</summary>
    public static CallError Unknown(GatewayState state) => state.Snapshot.Version == 0 ? CallError.Starting : CallError.NoKey;

    /// <summary>Whether a key and those above it allow a model.</summary>
    public static bool Allows(GatewayKey key, string model, GatewayState state)
    {
        for (var (level, depth) = (key, 0); depth <= GatewayOptions.MostKeyLevels; depth++)
        {
            if (!level.Allows(model))
                return false;
            if (level.Parent is not { } parent || state.FindKey(parent) is not { } above)
                return true;
            level = above.Key;
        }
        return false;
    }

    /// <summary>The models that a key may call, in the order of their names; on an endpoint's own host name only that endpoint's.</summary>
    public static IEnumerable<ModelRoute> Models(GatewayKey key, GatewayState state, HttpContext context)
    {
        var host = context.Features.Get<HostRoute>();
        return state.Snapshot.Models.Values
            .Where(m => m.Name.Project == key.Project && (host is null || m.Name == new ModelName(host.Project, host.Model ?? "")) && !m.Name.Model.StartsWith('/') && Allows(key, m.Name.Model, state))
            .OrderBy(m => m.Name.Model, StringComparer.Ordinal);
    }

    /// <summary>
    /// Why a key may not use an endpoint's own path; null where it may. What goes through there is not read, so it counts no tokens and no money: a key with a limit on either,
    /// its own or from above, is refused; one that names models must name the path.
    /// </summary>
    public static CallError? Unmetered(GatewayKey key, KeyAccount account, string path, GatewayState state)
    {
        for (var level = account; level is not null; level = level.Parent)
        {
            if (level.Limits.Budget is not null || level.Limits.TokensPerMinute is not null)
                return CallError.NotMetered(path, level.Name);
        }
        return Allows(key, path, state) ? null : CallError.NotAllowed(path, key.Name);
    }

    /// <summary>A limit's refusal as the client is told.</summary>
    public static CallError Refused(LimitRefusal refusal)
    {
        if (refusal.Unconfirmed)
        {
            var whose = refusal.Kind == LimitKind.Funds ? $"the credits of the project of key '{refusal.Key}'" : $"the budget of key '{refusal.Key}'";
            return CallError.BudgetUnconfirmed(whose, new Money(refusal.Limit), new Money(refusal.Asked));
        }
        if (refusal.IsOfMoney)
        {
            return new CallError(429, "insufficient_quota", "insufficient_quota", refusal.Kind == LimitKind.Funds
                ? $"The project of key '{refusal.Key}' has {new Money(refusal.Limit)} left, {new Money(refusal.Used)} of it reserved or lent to gateways, and this request may cost {new Money(refusal.Asked)}. "
                    + "An admin grants credits with `cairn projects grant PROJECT USD`."
                : $"The budget of key '{refusal.Key}' is {new Money(refusal.Limit)}; {new Money(refusal.Used)} are spent or reserved, and this request may cost {new Money(refusal.Asked)}.")
            {
                RetryAfter = refusal.RetryAfter, ShouldRetry = refusal.RetryAfter is { TotalSeconds: <= 60 },
            };
        }
        var unit = refusal.Kind switch { LimitKind.Tokens => "tokens per minute", LimitKind.Requests => "requests per minute", _ => "requests at once" };
        return new CallError(429, refusal.Kind == LimitKind.Tokens ? "tokens" : "requests", "rate_limit_exceeded",
            $"The key '{refusal.Key}' may use {refusal.Limit:N0} {unit}; {refusal.Used:N0} are used or reserved, and this request asks for {refusal.Asked:N0}.")
        {
            RetryAfter = refusal.RetryAfter, ShouldRetry = refusal.RetryAfter is not null,
        };
    }

    private static ReadOnlySpan<char> Shown(HttpRequest request)
    {
        if (request.Headers.Authorization is [{ } header] && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return header.AsSpan(7).Trim();
        return request.Headers["x-api-key"] is [{ } anthropic] ? anthropic : request.Headers["api-key"] is [{ } azure] ? azure : null;
    }

    private static bool Lives(GatewayKey key, GatewayState state, DateTimeOffset now)
    {
        for (var depth = 0; depth <= GatewayOptions.MostKeyLevels; depth++)
        {
            if (key.Blocked || key.ExpiresAt <= now)
                return false;
            if (key.Parent is not { } parent)
                return true;
            if (state.FindKey(parent) is not { } above)
                return false;
            key = above.Key;
        }
        return false;
    }
}
