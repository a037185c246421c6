using System.Security.Cryptography;
using System.Text;
using Cairn.Contracts.Jobs;

namespace Cairn.Fleet.Nodes;

internal enum JoinVerdict
{
    /// <summary>A new node; it takes one use of the token.</summary>
    Admit,

    /// <summary>The key has joined before: the same answer again, and no further use. The first reply may have been lost.</summary>
    Repeat,
    UnknownToken,
    Revoked,
    Expired,
    UsedUp,

    /// <summary>The key belonged to a node that a person has removed.</summary>
    RemovedKey,
}

/// <summary>Whether a machine may join. Pure.</summary>
internal static class JoinDecision
{
    /// <param name="token">The row the token names; null where there is none.</param>
    /// <param name="secretHash">Of the secret that was presented.</param>
    /// <param name="sameKey">The phase of the node that has the same key, where there is one.</param>
    public static JoinVerdict Of(JoinTokenRow? token, string secretHash, NodePhase? sameKey, DateTimeOffset now)
    {
        // Compared even where there is no row, so that the time taken does not tell which ids exist.
        var held = Encoding.ASCII.GetBytes(token?.SecretHash ?? new string('0', secretHash.Length));
        if (!CryptographicOperations.FixedTimeEquals(held, Encoding.ASCII.GetBytes(secretHash)) || token is null)
            return JoinVerdict.UnknownToken;
        if (token.Revoked)
            return JoinVerdict.Revoked;
        if (sameKey is { } phase)
            return phase == NodePhase.Removed ? JoinVerdict.RemovedKey : JoinVerdict.Repeat;
        if (token.ExpiresAt <= now)
            return JoinVerdict.Expired;
        return token.MaxUses > 0 && token.Uses >= token.MaxUses ? JoinVerdict.UsedUp : JoinVerdict.Admit;
    }

    public static string Explain(JoinVerdict verdict) => verdict switch
    {
        JoinVerdict.UnknownToken => "the join token is not known here; make one with 'cairn node token'",
        JoinVerdict.Revoked => "the join token was revoked; make one with 'cairn node token'",
        JoinVerdict.Expired => "the join token has expired; make one with 'cairn node token'",
        JoinVerdict.UsedUp => "the join token was used as often as it may be; make one with 'cairn node token'",
        JoinVerdict.RemovedKey => "a node with this key was removed; give the daemon an empty data folder so that it makes a new key",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "not a refusal"),
    };
}
