namespace Cairn.Planning.Costs;

/// <summary>
/// What losing machines is expected to cost in time. Losses are memoryless (a Poisson process), work is saved at every checkpoint, and a loss
/// throws the work back to the last one and waits for a restart.
/// <para>
/// With λ losses per second of the whole gang and s seconds between checkpoints, a stretch of s succeeds with probability e^(−λs), so the expected
/// number of failed tries is e^(λs) − 1, and the expected work lost in them is (e^(λs) − 1)/λ − s. A run of T seconds has T/s stretches.
/// To first order in λs this is the familiar λT losses that each cost s/2 and a restart (J. W. Young, "A first order approximation to the
/// optimum checkpoint interval", CACM 17(9), 1974); the closed form is that of J. T. Daly, "A higher order estimate of the optimum
/// checkpoint interval for restart dumps", FGCS 22(3), 2006, without failures during a restart.
/// </para>
/// </summary>
/// <param name="Interruptions">Expected number over the run, repeats included.</param>
/// <param name="LostWorkSeconds">Work done twice.</param>
/// <param name="RestartSeconds">Waiting for machines to come back.</param>
internal readonly record struct InterruptionLoss(double Interruptions, double LostWorkSeconds, double RestartSeconds)
{
    /// <summary>Beyond this many expected losses per checkpoint interval a stretch needs e¹⁰ tries, twenty thousand: it never ends.</summary>
    public const double HopelessLossesPerInterval = 10;

    public static readonly InterruptionLoss None;

    public static readonly InterruptionLoss Hopeless = new(double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity);

    /// <param name="workSeconds">T, the work itself.</param>
    /// <param name="intervalSeconds">s, between checkpoints; a run without checkpoints starts from nothing, so its interval is the run.</param>
    /// <param name="restartSeconds">From a loss until the gang works again.</param>
    /// <param name="lossesPerHour">Of the whole gang: the rate of one machine times their number.</param>
    public static InterruptionLoss Of(double workSeconds, double intervalSeconds, double restartSeconds, double lossesPerHour)
    {
        if (workSeconds <= 0 || lossesPerHour <= 0)
            return None;
        var stretch = Math.Min(Math.Max(intervalSeconds, 1), workSeconds);
        var losses = lossesPerHour / 3600 * stretch;
        if (losses > HopelessLossesPerInterval)
            return Hopeless;
        // e^x − 1 − x cancels all digits for small x, so its series stands in there.
        var excess = losses < 1e-3 ? losses * losses * (0.5 + losses * (1.0 / 6 + losses / 24)) : Math.Exp(losses) - 1 - losses;
        var stretches = workSeconds / stretch;
        var interruptions = stretches * (losses + excess);
        return new InterruptionLoss(interruptions, stretches * stretch * excess / losses, interruptions * restartSeconds);
    }

    /// <summary>A service loses no work: a lost replica is started again, and only that start is waited for.</summary>
    public static InterruptionLoss OfService(double seconds, double restartSeconds, double lossesPerHour)
    {
        var interruptions = seconds / 3600 * lossesPerHour;
        return new InterruptionLoss(interruptions, 0, interruptions * restartSeconds);
    }
}
