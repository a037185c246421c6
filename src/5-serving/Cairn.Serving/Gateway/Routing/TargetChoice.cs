using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Routing;

/// <summary>Chooses among a route's targets by weight; pure.</summary>
internal static class TargetChoice
{
    /// <param name="given">Targets that cannot answer this request.</param>
    /// <param name="dice">A random number.</param>
    /// <param name="session">Where not 0, it takes the place of the dice: a session does not jump between a canary and the rest.</param>
    /// <returns>The target's place; -1 where all were given up.</returns>
    public static int Pick(IReadOnlyList<RouteTarget> targets, ReadOnlySpan<bool> given, ulong dice, ulong session)
    {
        var total = 0;
        for (var i = 0; i < targets.Count; i++)
            total += given[i] ? 0 : Math.Max(0, targets[i].Weight);
        if (total == 0)
            return given.IndexOf(false);
        var point = (int)Math.BigMul(Dice.Mix(session != 0 ? session : dice), (ulong)total, out _);
        for (var i = 0; i < targets.Count; i++)
        {
            if (given[i])
                continue;
            point -= Math.Max(0, targets[i].Weight);
            if (point < 0)
                return i;
        }
        throw new System.Diagnostics.UnreachableException();
    }
}
