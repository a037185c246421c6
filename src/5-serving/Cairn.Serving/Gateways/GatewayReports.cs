using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Usage;
using Cairn.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Gateways;

/// <summary>What a gateway wrote, before it is answered.</summary>
/// <param name="Applied">Whether the usage is new.</param>
internal readonly record struct ReportTaken(GatewayRow Row, bool Applied);

/// <summary>
/// Takes what gateways report, one report after the other: (1) usage, charges and what was given back become rows in one transaction; (2) memory follows; (3) more of
/// budgets is lent, in rows before the gateway hears of it; (4) the load goes to the autoscaler.
/// </summary>
internal sealed partial class GatewayReports(
    Store store, GatewayState gateway, GatewayBoard board, SliceBook slices, LoadsElsewhere loads, IInferenceCharges charges, TimeProvider time,
    ILogger<GatewayReports> logger)
    : IHostedService, IDisposable
{
    /// <summary>How long others may take to give back what one gateway lacks, and how long nobody is asked again.</summary>
    private static readonly TimeSpan s_returning = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<KeyId, (DateTimeOffset At, HashSet<Guid> From)> _recalls = [];

    /// <summary>Whether other servers write the same rows.</summary>
    public bool Shared { get; init; }

    /// <summary>Before the first snapshot: what is lent is not spent here.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await slices.LoadAsync(time.GetUtcNow(), cancellationToken);
        board.Seen(await store.ReadAsync(GatewayRows.All, cancellationToken));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _one.Dispose();

    /// <summary>A gateway is there.</summary>
    public async Task JoinAsync(Guid id, string name, KeyId key, CancellationToken cancellationToken) =>
        board.Seen([await store.WriteAsync(session => GatewayRows.Seen(session, id, name, key, departed: false), cancellationToken)]);

    /// <summary>Nothing more is expected of a gateway: what it held is free again.</summary>
    /// <returns>False where there is no such gateway.</returns>
    public async Task<bool> ForgetAsync(Guid id, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (!await store.WriteAsync(session => GatewayRows.Forget(session, id), cancellationToken))
                return false;
            board.Seen(await store.ReadAsync(GatewayRows.All, cancellationToken));
            await slices.LoadAsync(time.GetUtcNow(), cancellationToken);
            return true;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Slices of long ago go, and gateways that were not heard of for long share nothing any more; other servers' gateways are read.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        await store.WriteAsync(session => GatewayRows.Sweep(session, session.Now), cancellationToken);
        board.Seen(await store.ReadAsync(GatewayRows.All, cancellationToken));
    }

    /// <summary>Takes a report that <see cref="ReportChecks"/> found nothing wrong with.</summary>
    public async Task<ReportReply> TakeAsync(GatewayReport report, KeyId key, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            if (Shared)
                await slices.LoadAsync(now, cancellationToken);

            // (1)
            var usage = report.Usage?.Lines.Select(line => line.ToSum()).ToList() ?? [];
            var spent = UsageLedger.SpentByLevel(usage, gateway.Snapshot.Keys);
            var batch = Guid.CreateVersion7(now);
            var taken = await store.WriteAsync(session => Write(session, report, key, spent, batch), cancellationToken);

            // (2)
            board.Seen([taken.Row]);
            slices.Took(report.Gateway, report.Returns, taken.Applied ? spent : new Dictionary<KeyId, Money>(), report.Usage?.At ?? now, now);
            if (taken.Applied)
                LogTaken(logger, report.Name, usage.Sum(u => u.Value.Requests), report.Usage!.At);

            // (3)
            var lent = await slices.LendAsync(report.Gateway, report.Asks, board.Parties, now, cancellationToken);

            // (4)
            loads.Take(report.Gateway, report.Loads, report.Replicas);
            if (report.Loads.Any(l => l.Queued > 0))
                store.Signals.Raise(EndpointRows.Signal);
            return Reply(report, taken.Row, lent, spent.Keys, now);
        }
        finally
        {
            _one.Release();
        }
    }

    private ReportTaken Write(WriteSession session, GatewayReport report, KeyId key, IReadOnlyDictionary<KeyId, Money> spent, Guid batch)
    {
        var row = GatewayRows.Seen(session, report.Gateway, report.Name, key, report.Leaving);
        foreach (var slice in report.Returns.Select(given => slices.Returned(report.Gateway, given)).OfType<SliceRow>())
            GatewayRows.Write(session, slice);
        if (report.Usage is not { } usage || !GatewayRows.TakeUsage(session, report.Gateway, usage.Sequence))
            return new ReportTaken(row, false);
        var hour = UsageRows.HourOf(usage.At);
        foreach (var line in usage.Lines)
        {
            var (subject, sum) = line.ToSum();
            UsageRows.Add(session, hour, subject, sum);
        }
        foreach (var (level, cost) in spent)
        {
            UsageRows.Spend(session, level, cost, usage.At);
            GatewayRows.SpendSlices(session, report.Gateway, level, cost, usage.At);
        }
        charges.Charge(session, batch, usage.At, [.. usage.Lines.Select(line => line.ToSum())]);
        return new ReportTaken(row with { LastUsage = usage.Sequence }, true);
    }

    private ReportReply Reply(GatewayReport report, GatewayRow row, IReadOnlyList<SliceRow> lent, IEnumerable<KeyId> spent, DateTimeOffset now)
    {
        var asked = report.Asks.DistinctBy(ask => ask.Key).ToDictionary(ask => ask.Key, ask => ask.Wanted);
        var pending = lent.Where(slice => asked[slice.KeyId] > Money.Zero && Recall(slice.KeyId, report.Gateway, now)).Select(slice => slice.KeyId).ToList();
        var changed = spent.Union(report.Returns.Select(r => r.Key)).SelectMany(key => slices.Of(report.Gateway, key)).Select(slice => slice.View);
        return new ReportReply
        {
            Applied = row.LastUsage,
            Slices = [.. lent.Select(slice => slice.View).UnionBy(changed, view => (view.Key, view.Period, view.Began))],
            Pending = pending,
            Recalled = [.. _recalls.Where(r => now - r.Value.At < s_returning && r.Value.From.Contains(report.Gateway)).Select(r => r.Key)],
        };
    }

    /// <summary>Asks the others for what they hold idle of a key that one wants more of.</summary>
    /// <returns>Whether some of it may come back in a moment.</returns>
    private bool Recall(KeyId key, Guid for_, DateTimeOffset now)
    {
        if (_recalls.TryGetValue(key, out var recall) && now - recall.At < s_quiet)
            return now - recall.At < s_returning && recall.From.Any(id => id != for_);
        var holders = slices.OtherHolders(key, for_).Where(board.IsConnected).ToHashSet();
        _recalls[key] = (now, holders);
        foreach (var holder in holders)
            board.Tell(holder, new FeedLine { Report = true });
        return holders.Count > 0;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Gateway {Gateway} reported {Requests} requests of {Hour}")]
    private static partial void LogTaken(ILogger logger, string gateway, long requests, DateTimeOffset hour);
}
