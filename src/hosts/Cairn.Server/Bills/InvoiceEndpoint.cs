using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Server.Plans;
using Cairn.Fleet.Jobs;
using Cairn.Market.Bills;
using Cairn.Planning;
using Cairn.Planning.Comparing;
using Cairn.Planning.Offers;
using Cairn.Server.Problems;
using Cairn.State;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cairn.Server.Bills;

/// <summary>One job's invoice: what was charged, line by line, and what the same seconds and bytes would have cost at each other provider.</summary>
internal static class InvoiceEndpoint
{
    public static async Task<IResult> ReadAsync(
        string job, HttpContext context, JobRecords jobs, Store store, OfferCatalog catalog, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await jobs.FindAsync(job, context.Features.GetRequiredFeature<Caller>(), cancellationToken) is not { } found)
            return ProblemResponses.Result(404, new Problem(ProblemCodes.NotFound, $"There is no job '{job}' here; 'cairn jobs' lists them."));
        var charges = await store.ReadAsync(session => BillReader.ReadJob(session, found.Id), cancellationToken);
        return Results.Ok(new InvoiceView
        {
            JobId = found.Id,
            Job = found.Name,
            Project = found.Project,
            Final = found.EndedAt is not null && charges.Closed,
            Lines = [.. charges.Lines, .. WrittenOff(charges)],
            Total = charges.Lines.Aggregate(Money.Zero, (sum, line) => sum + line.Amount) - charges.WrittenOff,
            Simulated = charges.Simulated || found.Simulated,
            Alternatives = Alternatives(found, catalog.Current, time.GetUtcNow()),
        });
    }

    private static IEnumerable<InvoiceLine> WrittenOff(JobCharges charges) => charges.WrittenOff == Money.Zero
        ? []
        : [new InvoiceLine("written_off", "not covered by the project's funds", "", 1, "", -charges.WrittenOff.Usd, -charges.WrittenOff)];

    private static List<AlternativeView> Alternatives(JobView job, CatalogListing catalog, DateTimeOffset now)
    {
        if (job.Workload is not { } workload || RunSeconds(job, now) is not { } seconds)
            return [];
        var use = new ActualUse { RunSeconds = seconds, Outputs = Outputs(workload, job) };
        return
        [
            .. Planning.Comparing.Alternatives.CostAt(workload, use, OfferSnapshot.Compile(catalog.Offers), PlanningContext.Default)
                .Select(place => new AlternativeView(place.Offer.Provider, place.Offer.Region.Name, place.Offer.InstanceType, place.Total, place.Items, null)),
        ];
    }

    /// <summary>How long each machine worked, all attempts together: what was billed, per rank.</summary>
    private static long? RunSeconds(JobView job, DateTimeOffset now)
    {
        if (job.StartedAt is not { } started)
            return null;
        var billed = job.Attempts?.SelectMany(attempt => attempt.Tasks).GroupBy(task => task.Rank).Select(rank => rank.Sum(task => task.BilledSeconds)).DefaultIfEmpty().Max() ?? 0;
        var seconds = billed > 0 ? billed : ((job.EndedAt ?? now) - started).TotalSeconds;
        return (long)Math.Ceiling(Math.Max(1, seconds));
    }

    /// <summary>The outputs at the size they really had.</summary>
    private static IReadOnlyList<DataSpec> Outputs(WorkloadSpec workload, JobView job) =>
        [.. workload.Outputs.Select(output => job.Outputs?.FirstOrDefault(left => left.Name == output.Name) is { } left ? output with { SizeBytes = left.SizeBytes } : output)];
}
