using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway.Limits;
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
/// Takes what gateways report, one report after the other: (1) usage, charges and what was given back become rows in one transaction; (2)
/// memory follows: a project's money counts as lent no more once the ledger's word, in which it is spent, is known; (3) more of budgets and
/// credits is lent, in rows before the gateway hears of it; (4) the load goes to the autoscaler.
/// </summary>
internal sealed partial class GatewayReports(
    Store store, GatewayState gateway, GatewayBoard board, SliceBook slices, LoadsElsewhere loads, UsageLedger ledger, TimeProvider time,
    ILogger<GatewayReports> logger)
    : IHostedService, IDisposable
{
    /// <summary>How long others may take to give back what one gateway lacks, and how long nobody is asked again.</summary>
    private static readonly TimeSpan s_returning = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<PurseId, (DateTimeOffset At, HashSet<Guid> From)> _recalls = [];

    /// <summary>Whether other servers write the same rows.</summary>
    public bool Shared { get; init; }

    /// <summary>Before the first snapshot: what is lent is not spent here.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await LoadSlicesAsync(time.GetUtcNow(), cancellationToken);
        board.Seen(await store.ReadAsync(GatewayRows.All, cancellationToken));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _one.Dispose();

    /// <summary>Waits until this server serves; false where it does not within the patience of its gateway.</summary>
    public Task<bool> BegunAsync(CancellationToken cancellationToken) => gateway.BegunAsync(time, cancellationToken);

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
            await LoadSlicesAsync(time.GetUtcNow(), cancellationToken);
            return true;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>
    /// Slices of long ago go, and gateways that were not heard of for long share nothing any more; other servers' gateways are read.
    /// </summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        await store.WriteAsync(session => GatewayRows.Sweep(session, session.Now), cancellationToken);
        board.Seen(await store.ReadAsync(GatewayRows.All, cancellationToken));
    }

    /// <summary>Takes a report that <see cref="ReportChecks"/> found nothing wrong with, once this server knows its keys: their use counts for those above them, and of them is lent.</summary>
    /// <returns>Null where this server does not know them within the patience of its gateway; nothing was taken.</returns>
    public async Task<ReportReply?> TakeAsync(GatewayReport report, KeyId key, CancellationToken cancellationToken)
    {
        if (!await BegunAsync(cancellationToken))
            return null;
        await _one.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            if (Shared)
                await LoadSlicesAsync(now, cancellationToken);

            // (1)
            var usage = report.Usage?.Lines.Select(line => line.ToSum()).ToList() ?? [];
            var ofKeys = UsageLedger.SpentByLevel(usage, gateway.Snapshot.Keys);
            var ofProjects = UsageLedger.SpentByProject(usage);
            var spent = Purses(ofKeys, ofProjects);
            var batch = Guid.CreateVersion7(now);
            var taken = await ledger.WriteAsync(session =>
            {
                var written = Write(session, report, key, spent);
                if (written.Applied)
                    ledger.Book(session, batch, report.Usage!.At, usage, ofKeys);
                return written;
            }, [.. ofProjects.Keys], cancellationToken);

            // (2)
            board.Seen([taken.Row]);
            slices.Took(report.Gateway, report.Returns, taken.Applied ? spent : new Dictionary<PurseId, Money>(), report.Usage?.At ?? now, now);
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

    /// <summary>
    /// Other servers may have written both: what they know to be spent is off the ledger before it counts as lent no more.
    /// </summary>
    private async Task LoadSlicesAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var rows = await store.ReadAsync(session => GatewayRows.Slices(session, now), cancellationToken);
        await ledger.RenewFundsAsync(cancellationToken);
        slices.Restore(rows, now);
    }

    private ReportTaken Write(WriteSession session, GatewayReport report, KeyId key, IReadOnlyDictionary<PurseId, Money> spent)
    {
        var row = GatewayRows.Seen(session, report.Gateway, report.Name, key, report.Leaving);
        foreach (var slice in report.Returns.Select(given => slices.Returned(report.Gateway, given)).OfType<SliceRow>())
            GatewayRows.Write(session, slice);
        if (report.Usage is not { } usage || !GatewayRows.TakeUsage(session, report.Gateway, usage.Sequence))
            return new ReportTaken(row, false);
        foreach (var (purse, cost) in spent)
            GatewayRows.SpendSlices(session, report.Gateway, purse, cost, usage.At);
        return new ReportTaken(row with { LastUsage = usage.Sequence }, true);
    }

    private ReportReply Reply(GatewayReport report, GatewayRow row, IReadOnlyList<SliceRow> lent, IEnumerable<PurseId> spent, DateTimeOffset now)
    {
        var asked = report.Asks.DistinctBy(ask => ask.Purse).ToDictionary(ask => ask.Purse, ask => ask.Wanted);
        var pending = lent.Where(slice => asked[slice.PurseId] > Money.Zero && Recall(slice.PurseId, report.Gateway, now)).Select(slice => slice.PurseId).ToList();
        var changed = spent.Union(report.Returns.Select(r => r.Purse)).SelectMany(purse => slices.Of(report.Gateway, purse)).Select(slice => slice.View);
        foreach (var purse in slices.Overlent(report.Gateway, now).ToList())
            Recall(purse, Guid.Empty, now);
        var recalled = _recalls.Where(r => now - r.Value.At < s_returning && r.Value.From.Contains(report.Gateway)).Select(r => r.Key);
        return new ReportReply
        {
            Applied = row.LastUsage,
            Slices = [.. lent.Select(slice => slice.View).UnionBy(changed, view => (view.Purse, view.Period, view.Began))],
            Pending = pending,
            Recalled = [.. recalled],
        };
    }

    /// <summary>Keys on every level, and projects.</summary>
    private static Dictionary<PurseId, Money> Purses(IReadOnlyDictionary<KeyId, Money> ofKeys, IReadOnlyDictionary<ProjectId, Money> ofProjects)
    {
        var purses = ofKeys.ToDictionary(of => (PurseId)of.Key, of => of.Value);
        foreach (var (project, money) in ofProjects)
            purses[project] = money;
        return purses;
    }

    /// <summary>Asks the others for what they hold idle of a purse that one wants more of, or the server itself.</summary>
    /// <returns>Whether some of it may come back in a moment.</returns>
    private bool Recall(PurseId purse, Guid for_, DateTimeOffset now)
    {
        if (_recalls.TryGetValue(purse, out var recall) && now - recall.At < s_quiet)
            return now - recall.At < s_returning && recall.From.Any(id => id != for_);
        var holders = slices.OtherHolders(purse, for_).Where(board.IsConnected).ToHashSet();
        _recalls[purse] = (now, holders);
        foreach (var holder in holders)
            board.Tell(holder, new FeedLine { Report = true });
        return holders.Count > 0;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Gateway {Gateway} reported {Requests} requests of {Hour}")]
    private static partial void LogTaken(ILogger logger, string gateway, long requests, DateTimeOffset hour);
}
