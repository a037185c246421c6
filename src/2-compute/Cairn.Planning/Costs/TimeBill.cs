using Cairn.Contracts.Plans;
using Cairn.Planning.Offers;

namespace Cairn.Planning.Costs;

/// <summary>The time of one machine under one price, as it is lived and as it is billed, in whole seconds.</summary>
internal readonly struct TimeBill
{
    /// <summary>The work itself; of a service that scales to nothing, the busy part of it.</summary>
    public long Work { get; private init; }

    /// <summary>Boot, where it is billed.</summary>
    public long Boot { get; private init; }

    /// <summary>Work done twice and billed waiting for restarts, the machine's share of the gang's.</summary>
    public long Lost { get; private init; }

    /// <summary>Work, boot and loss, rounded up to the increment and the minimum.</summary>
    public long Billed { get; private init; }

    /// <summary>From the request for the machine until its end, billed or not.</summary>
    public long Occupied { get; private init; }

    public double Interruptions { get; private init; }

    /// <summary>Losses are so frequent that the end is not expected.</summary>
    public bool Hopeless { get; private init; }

    public static TimeBill Of(in WorkTime work, in Terms terms, PriceModel model)
    {
        var loss = Loss(work, terms, model == PriceModel.Spot ? terms.InterruptionsPerHour : terms.FailuresPerHour);
        if (double.IsPositiveInfinity(loss.Interruptions))
            return new TimeBill { Hopeless = true, Occupied = long.MaxValue / 4 };
        // While one machine of a gang comes back, the others wait and are billed; the new one's boot is billed where boots are.
        // The other machines of a service go on serving, which is billed as work.
        var waiting = work.Continuous ? 0 : work.GangMachines - 1;
        var billedShare = (waiting + (terms.BootBilled ? 1 : 0)) / (double)work.GangMachines;
        var lost = Whole(loss.LostWorkSeconds + loss.RestartSeconds * billedShare);
        var boot = terms.BootBilled ? terms.BootSeconds : 0;
        // A reservation is a term that is paid whether used or not.
        var increment = model == PriceModel.Reserved ? Math.Max(terms.ReservedTermSeconds, terms.IncrementSeconds) : terms.IncrementSeconds;
        var stretched = work.Continuous ? 0 : Whole(loss.LostWorkSeconds + loss.RestartSeconds);
        return new TimeBill
        {
            Work = work.BilledWorkSeconds,
            Boot = boot,
            Lost = lost,
            Billed = Amounts.RoundUp(Math.Max(work.BilledWorkSeconds + boot + lost, terms.MinimumSeconds), increment),
            Occupied = terms.BootSeconds + work.Seconds + stretched,
            Interruptions = loss.Interruptions,
        };
    }

    /// <summary>Up to the next second, and no more than sums can hold.</summary>
    private static long Whole(double seconds) => (long)Math.Ceiling(Math.Min(seconds, 1e15));

    private static InterruptionLoss Loss(in WorkTime work, in Terms terms, double ratePerMachine)
    {
        if (work.Certain || ratePerMachine <= 0)
            return InterruptionLoss.None;
        var rate = ratePerMachine * work.GangMachines;
        return work.Continuous
            ? InterruptionLoss.OfService(work.BilledWorkSeconds, terms.BootSeconds, rate)
            : InterruptionLoss.Of(work.Seconds, work.CheckpointSeconds, terms.BootSeconds, rate);
    }
}
