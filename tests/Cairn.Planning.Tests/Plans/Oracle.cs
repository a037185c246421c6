using System.Numerics;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Places;

namespace Cairn.Planning.Tests.Plans;

/// <summary>
/// The planner again, slowly: one offer at a time, with exact fractions and without columns, caches or lazy lists. It knows the rules from the
/// pricing model's page and shares no code with the planner but the latency between two points and the matching of names.
/// </summary>
internal static class Oracle
{
    public sealed record Verdict(Offer Offer, Dictionary<PriceModel, BigInteger> Totals, SortedSet<string> Reasons);

    public static Dictionary<string, Verdict> Plan(WorkloadSpec w, IReadOnlyList<Offer> offers, PlanningContext context)
    {
        ResourceSpec[][] tiers = w.Resources.Ordered.Count > 0 ? [.. w.Resources.Ordered.Select(r => new[] { r })]
            : w.Resources.AnyOf.Count > 0 ? [[.. w.Resources.AnyOf]]
            : [[w.Resources]];
        var byTier = tiers.Select(t => offers.ToDictionary(o => o.Id, o => Judge(w, t, o, offers, context))).ToArray();
        var chosen = Array.FindIndex(byTier, t => t.Values.Any(v => v.Totals.Count > 0));
        if (chosen < 0)
            chosen = byTier.Length - 1;
        return offers.ToDictionary(o => o.Id, o =>
        {
            var verdict = byTier[chosen][o.Id];
            if (verdict.Totals.Count > 0)
                return verdict with { Reasons = [] };
            if (byTier.Skip(chosen + 1).Any(t => t[o.Id].Totals.Count > 0))
                return verdict with { Reasons = [ReasonCodes.LaterChoice] };
            return verdict with { Reasons = [.. byTier.SelectMany(t => t[o.Id].Reasons)] };
        });
    }

    private static Verdict Judge(WorkloadSpec w, ResourceSpec[] choices, Offer o, IReadOnlyList<Offer> offers, PlanningContext context)
    {
        var totals = new Dictionary<PriceModel, BigInteger>();
        var reasons = new SortedSet<string>();
        foreach (var choice in choices)
        {
            var fixedReasons = Fixed(w, choice, o);
            reasons.UnionWith(fixedReasons);
            foreach (var model in Enum.GetValues<PriceModel>())
            {
                if (Price(w, choice, o, model) is not { } price)
                    continue;
                var (total, moneyReasons) = Bill(w, choice, o, model, price, fixedReasons, offers, context);
                reasons.UnionWith(moneyReasons);
                if (fixedReasons.Count == 0 && moneyReasons.Count == 0 && (!totals.TryGetValue(model, out var held) || total < held))
                    totals[model] = total;
            }
        }

        return new Verdict(o, totals, reasons);
    }

    private static long? Price(WorkloadSpec w, ResourceSpec choice, Offer o, PriceModel model) => model switch
    {
        PriceModel.OnDemand => o.OnDemand.MicrosPerHour,
        PriceModel.Spot => choice.Interruptible ?? w.Where.Interruptible ? o.Spot?.MicrosPerHour : null,
        _ => o.ReservedTermSeconds > 0 && o.ReservedTermSeconds <= Work(w) ? o.Reserved?.MicrosPerHour : null,
    };

    private static long Work(WorkloadSpec w) => w.Money.ExpectedDurationSeconds ?? 3600;

    private static int Machines(WorkloadSpec w) => w.Nodes * Math.Max(1, w.Service?.MinReplicas ?? 1);

    private static int Parts(Offer o) => o switch
    {
        { Divisible: false } => 1,
        { Accelerators: { } a } => a.Count,
        _ => (int)Math.Clamp(o.Cpus, 1, 4096),
    };

    private static HashSet<string> FitReasons(ResourceSpec r, Offer o)
    {
        var reasons = new HashSet<string>();
        if (r.Accelerators is { } need)
        {
            var has = o.Accelerators;
            if (has is null || (need.Names.Count > 0 && !need.Names.Any(n => AcceleratorName.Matches(n, has.Name)))
                || (need.Vendor is not null && need.Vendor != has.Vendor))
                reasons.Add(ReasonCodes.Accelerator);
            if (has is not null && !need.MemoryBytes.Contains(has.MemoryBytes))
                reasons.Add(ReasonCodes.AcceleratorMemory);
            if (has is not null && Math.Ceiling(need.Count.Min ?? 1) > has.Count)
                reasons.Add(ReasonCodes.AcceleratorCount);
        }

        if (o.Cpus < (r.Cpus.Min ?? 0))
            reasons.Add(ReasonCodes.Cpus);
        if (o.MemoryBytes < (r.MemoryBytes.Min ?? 0))
            reasons.Add(ReasonCodes.Memory);
        return reasons;
    }

    /// <summary>The fewest parts that hold the need, or all where none do.</summary>
    private static int Rented(ResourceSpec r, Offer o)
    {
        var parts = Parts(o);
        if (FitReasons(r, o).Count > 0)
            return parts;
        return Enumerable.Range(1, parts).First(k =>
            k == parts || (k >= (r.Accelerators is { } a ? Math.Ceiling(a.Count.Min ?? 1) : 1)
                && o.Cpus * k / parts >= (r.Cpus.Min ?? 0)
                && (BigInteger)o.MemoryBytes * k / parts >= (r.MemoryBytes.Min ?? 0)));
    }

    private static long ExtraDiskGB(ResourceSpec r, Offer o)
    {
        var included = (long)((BigInteger)o.DiskBytes * Rented(r, o) / Parts(o));
        return (long)Math.Ceiling(Math.Max(0, r.DiskBytes - included) / 1e9m);
    }

    private static HashSet<string> Fixed(WorkloadSpec w, ResourceSpec r, Offer o)
    {
        var reasons = FitReasons(r, o);
        var where = w.Where;
        var regions = r.Regions.Count > 0 ? r.Regions : where.Regions;
        Out(ReasonCodes.Disk, ExtraDiskGB(r, o) > 0 && o.StoragePerGigabyteMonth.Micros == 0);
        Out(ReasonCodes.Interconnect, w.Nodes > 1 && o.Interconnect < r.Interconnect);
        Out(ReasonCodes.Labels, r.NodeLabels.Any(l => !o.Labels.Contains(l)));
        Out(ReasonCodes.DeploymentModel, where.DeploymentModels.Count > 0 && !where.DeploymentModels.Contains(o.DeploymentModel));
        Out(ReasonCodes.Provider, where.Providers.Count > 0 && !where.Providers.Contains(o.Provider));
        Out(ReasonCodes.Region, regions.Count > 0 && !regions.Any(p => RegionPattern.Matches(p, o.Provider, o.Region.Name)));
        Out(ReasonCodes.Residency, where.Residency.Count > 0
            && !where.Residency.Any(x => x == o.Region.Country || (x == "EU" && o.Region.Country is "DE" or "IE")));
        Out(ReasonCodes.Certification, where.Certifications.Except(o.Certifications).Any());
        Out(ReasonCodes.Latency, where.Latency is { } l && (o.Region.Point is not { } point
            || l.From.Any(f => LatencyModel.RoundTripMs(f.Point, point) > l.MaxMs)));
        Out(ReasonCodes.Availability, o.AvailabilityPercent < (where.AvailabilityPercent ?? 0));
        Out(ReasonCodes.Offline, where.Offline && !o.WorksOffline);
        Out(ReasonCodes.Trust, o.Trust < where.Trust);
        Out(ReasonCodes.Preemptible, o.Preemptible && !(r.Interruptible ?? where.Interruptible));
        Out(ReasonCodes.Capacity, o.Capacity is { } c && c * (r.Spread ? 1 : Parts(o) / Rented(r, o)) < Machines(w));
        return reasons;

        void Out(string code, bool holds)
        {
            if (holds)
                reasons.Add(code);
        }
    }

    private static (BigInteger Total, HashSet<string> Reasons) Bill(
        WorkloadSpec w, ResourceSpec r, Offer o, PriceModel model, long price, HashSet<string> fixedReasons, IReadOnlyList<Offer> offers,
        PlanningContext context)
    {
        var reasons = new HashSet<string>();
        BigInteger n = Machines(w);
        var hourly = price * n * Rented(r, o) / Parts(o);
        if ((BigInteger)price * Rented(r, o) / Parts(o) > ((r.MaxPricePerHour ?? w.Money.MaxPricePerHour)?.MicrosPerHour ?? long.MaxValue))
            reasons.Add(ReasonCodes.Price);

        var gang = w.Retries.Restart == RestartPolicy.Lost && w.Kind is not (WorkloadKind.Train or WorkloadKind.Finetune) ? 1 : w.Nodes;
        var serves = w.Service is not null || w.Kind is WorkloadKind.Serve or WorkloadKind.Agent;
        var rate = (model == PriceModel.Spot ? o.InterruptionsPerHour : o.FailuresPerHour) * gang / 3600;
        double work = Work(w), lostWork = 0, restart = 0;
        if (w.Service is { MinReplicas: 0 } s)
            work = Math.Ceiling(work * s.Utilization - 1e-9);
        if (serves)
        {
            restart = rate * work * o.BootSeconds;
        }
        else if (rate > 0)
        {
            var stretch = Math.Min(w.Checkpoints?.IntervalSeconds ?? work, work);
            var failed = Math.Exp(rate * stretch) - 1;
            if (rate * stretch > 10)
                return (0, [.. reasons, ReasonCodes.Interruption]);
            lostWork = work / stretch * (failed / rate - stretch);
            restart = work / stretch * failed * o.BootSeconds;
        }

        var waiting = (serves ? 0 : gang - 1) + (o.BootBilled ? 1 : 0);
        var billed = (long)work + (o.BootBilled ? o.BootSeconds : 0) + (long)Math.Ceiling(lostWork + restart * waiting / gang);
        var increment = Math.Max(o.BillingIncrementSeconds, model == PriceModel.Reserved ? o.ReservedTermSeconds : 1);
        billed = (Math.Max(billed, o.BillingMinimumSeconds) + increment - 1) / increment * increment;
        var occupied = o.BootSeconds + Work(w) + (serves ? 0 : (long)Math.Ceiling(lostWork + restart));
        var compute = hourly * billed / 3600;

        var checkpointGB = (long)Math.Ceiling((w.Checkpoints?.SizeBytes ?? 0) / 1e9m);
        BigInteger storage = o.StoragePerGigabyteMonth.Micros;
        var total = compute
            + ExtraDiskGB(r, o) * n * storage * occupied / (730 * 3600)
            + checkpointGB * storage * occupied / (730 * 3600)
            + compute * (context.Fees.FirstOrDefault(f => f.Provider is null || f.Provider == o.Provider)?.BasisPoints ?? 0) / 10_000;
        long transfer = 0;
        var near = 0L;
        var far = 0L;
        foreach (var input in w.Inputs)
        {
            // Every offer of a provider has the provider's egress prices in these tests.
            var source = input.Place?.Split('/')[0] ?? "";
            var egress = context.SourceEgress.GetValueOrDefault(source) ?? offers.FirstOrDefault(x => x.Provider == source)?.Egress;
            total += Move(egress ?? new EgressPrices(), input.Place, $"{o.Provider}/{o.Region.Name}", Volume(source), input.SizeBytes, ref near, ref far);
        }

        var climbed = Volume(o.Provider);
        foreach (var output in w.Outputs)
        {
            total += Move(o.Egress, $"{o.Provider}/{o.Region.Name}", output.Place ?? "-/-", climbed, output.SizeBytes, ref near, ref far);
            climbed += output.Place?.Split('/')[0] == o.Provider ? 0 : output.SizeBytes;
        }

        if (w.Nodes > 1)
            total += (BigInteger)w.NodeTrafficBytesPerHour * n * Work(w) / 3600 * o.Egress.InRegionPerGigabyte.Micros * 2 / 1_000_000_000;
        transfer = (near + 1_249_999_999) / 1_250_000_000 + (far + 124_999_999) / 125_000_000;
        if (total > (w.Money.Budget?.Micros ?? long.MaxValue))
            reasons.Add(ReasonCodes.Budget);
        if (occupied + transfer > (w.Money.DeadlineSeconds ?? long.MaxValue))
            reasons.Add(ReasonCodes.Deadline);
        return (total, reasons);

        long Volume(string provider) => context.EgressBytesThisMonth.TryGetValue(provider, out var before) ? before : 0;
    }

    private static BigInteger Move(EgressPrices egress, string? from, string to, long climbed, long bytes, ref long near, ref long far)
    {
        var sameProvider = from?.Split('/')[0] == to.Split('/')[0];
        if (sameProvider)
            near += bytes;
        else
            far += bytes;
        if (from == to)
            return 0;
        if (sameProvider)
            return (BigInteger)bytes * egress.CrossRegionPerGigabyte.Micros / 1_000_000_000;
        BigInteger sum = 0;
        long low = 0;
        foreach (var rung in egress.Internet)
        {
            var high = rung.UpToBytes ?? long.MaxValue;
            BigInteger within = Math.Min(high, climbed + bytes) - Math.Max(low, climbed);
            if (within > 0)
                sum += within * rung.PerGigabyte.Micros;
            low = high;
        }

        return sum / 1_000_000_000;
    }
}
