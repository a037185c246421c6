using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>Asks a server for more of keys' budgets and of their project's credits than it has lent so far. Implemented where a gateway runs alone.</summary>
internal interface IBorrowsBudgets
{
    /// <summary>Reserves, borrowing what is missing; waits for the server's word, for seconds at most.</summary>
    /// <param name="key">Whose request it is.</param>
    /// <param name="account">That key's account.</param>
    /// <param name="tokens">Prompt and most output.</param>
    /// <param name="money">The most that these can cost.</param>
    /// <param name="cancellationToken">The client left.</param>
    Task<(Reservation? Taken, LimitRefusal? Refusal)> BorrowAsync(
        GatewayKey key, KeyAccount account, long tokens, Money money, CancellationToken cancellationToken);
}

internal enum LimitKind
{
    Requests,
    Tokens,
    Parallel,
    Budget,

    /// <summary>Not the key's: the project's money is used up.</summary>
    Funds,
}

/// <summary>Why a request was not let in.</summary>
/// <param name="Key">The key whose limit it is: the caller's or one above it.</param>
/// <param name="Limit">Of the kind's unit: requests, tokens, requests at once, micro-dollars.</param>
/// <param name="Used">Used and reserved, of the same unit.</param>
/// <param name="Asked">What this request would have added.</param>
/// <param name="RetryAfter">When it could be let in at the earliest; null where waiting alone does not help.</param>
internal sealed record LimitRefusal(LimitKind Kind, string Key, long Limit, long Used, long Asked, TimeSpan? RetryAfter)
{
    /// <summary>Whether a server that could lend more is away: then nobody knows that the money is spent.</summary>
    public bool Unconfirmed { get; init; }

    /// <summary>Whether more money would have let the request in.</summary>
    public bool IsOfMoney => Kind is LimitKind.Budget or LimitKind.Funds;
}
