namespace Cairn.Serving.Rollouts;

/// <summary>
/// How many of an endpoint's replicas run where nothing is taken away; pure. A base of them, and a share of those above it, rounded up:
/// the on-demand base capacity and percentage above base of instance groups.
/// </summary>
/// <param name="Base">0 or more.</param>
/// <param name="Percent">0 to 100.</param>
/// <param name="Mixes">Whether the workload allows machines that can be taken away; else there is nothing to split.</param>
internal readonly record struct OnDemandSplit(int Base, double Percent, bool Mixes)
{
    /// <summary>Of so many replicas, those that stay.</summary>
    public int Of(int replicas)
    {
        if (!Mixes || replicas <= 0)
            return 0;
        var above = Math.Max(0, replicas - Base);
        return Math.Min(replicas, Base + (int)Math.Ceiling(above * Math.Clamp(Percent, 0, 100) / 100 - 1e-9));
    }

    /// <summary>Whether the next replica is one that stays.</summary>
    /// <param name="replicas">How many there shall be.</param>
    /// <param name="staying">Live ones that stay.</param>
    public bool IsNextOnDemand(int replicas, int staying) => staying < Of(replicas);
}
