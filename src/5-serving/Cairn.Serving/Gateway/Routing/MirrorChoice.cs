namespace Cairn.Serving.Gateway.Routing;

/// <summary>Decides whether a request is copied to a mirror; pure.</summary>
internal static class MirrorChoice
{
    /// <param name="percent">Share of the requests, 0 to 100.</param>
    /// <param name="dice">A random number; the same one decides the same.</param>
    public static bool Takes(int percent, ulong dice) => (int)Math.BigMul(dice, 100UL, out ulong _) < percent;
}
