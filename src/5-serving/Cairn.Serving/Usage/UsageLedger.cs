using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Usage;

/// <summary>
/// Takes the usage that the gateway has summed, about every second and at the end, and writes it with its charges in one transaction. A
/// batch that could not be written is written again under its own id, so that nothing is lost and nothing counts twice. Before the first
/// request, it tells the gateway what the keys have spent; then, and whenever money came or went, what projects have available. Writing and
/// reading take turns, so that no use counts both as written and as not, nor as neither.
/// </summary>
internal sealed partial class UsageLedger(Store store, UsageBook book, GatewayState gateway, IInferenceCharges charges, TimeProvider time, ILogger<UsageLedger> logger)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan s_lastPatience = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _one = new(1, 1);
    private UsageBatch? _pending;

    /// <summary>Hosted services start in their order and before the listener: no request comes before this is done.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var spent = await store.ReadAsync(UsageRows.Spent, cancellationToken);
        gateway.Restore(spent.Select(s => KeyValuePair.Create<PurseId, KeySpending>(s.Key, s.Value)));
        await RenewFundsAsync(cancellationToken);
    }

    /// <summary>Tells the gateway what projects have available.</summary>
    public async Task RenewFundsAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            gateway.Funds.Renew(await store.ReadAsync(session => charges.Available(session, null), cancellationToken));
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>
    /// Writes what other gateways used of projects' money, in turn with what this one did, and tells this one what the projects have then.
    /// </summary>
    /// <param name="write">Books with <see cref="Book"/>.</param>
    /// <param name="projects">Those whose money it is.</param>
    /// <param name="cancellationToken">Honoured until the write starts.</param>
    public async Task<T> WriteAsync<T>(Func<WriteSession, T> write, IReadOnlyCollection<ProjectId> projects, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var (written, available) = await store.WriteAsync(session => (write(session), charges.Available(session, projects)), cancellationToken);
            gateway.Funds.Renew(available);
            return written;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Adds usage to its hour and to what its keys have spent, and charges it. A batch is booked once.</summary>
    /// <param name="spent">Per key, on every level.</param>
    public void Book(
        WriteSession session, Guid batch, DateTimeOffset at, IReadOnlyCollection<KeyValuePair<UsageSubject, UsageSum>> usage, IReadOnlyDictionary<KeyId, Money> spent)
    {
        var hour = UsageRows.HourOf(at);
        foreach (var (subject, sum) in usage)
            UsageRows.Add(session, hour, subject, sum);
        foreach (var (key, cost) in spent)
            UsageRows.Spend(session, key, cost, at);
        charges.Charge(session, batch, at, usage);
    }

    /// <summary>
    /// After the listener and the loop: what is summed now is all. Streams that went on have used up the host's patience, and what they used is known only when they were cut:
    /// so the last batch has time of its own.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_lastPatience, time);
        try
        {
            await FlushAsync(patience.Token);
        }
        catch (Exception failed) when (failed is StoreException or OperationCanceledException)
        {
            LogLost(logger, failed, (_pending?.Usage.Sum(u => u.Value.Requests) ?? 0) + book.Take().Sum(u => u.Value.Requests));
        }
    }

    /// <summary>Writes what is summed.</summary>
    /// <exception cref="StoreException">It could not be written; the next call writes it.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            // A batch that failed goes first, as it was; then what came since.
            if (_pending is not null)
                await WritePendingAsync(cancellationToken);
            _pending = Take();
            await WritePendingAsync(cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task WritePendingAsync(CancellationToken cancellationToken)
    {
        if (_pending is not { } batch)
            return;
        var available = await store.WriteAsync(session => Write(session, batch), cancellationToken);
        _pending = null;
        gateway.Funds.Renew(available, batch.Costs);
    }

    private UsageBatch? Take()
    {
        var usage = book.Take();
        if (usage.Count == 0)
            return null;
        var now = time.GetUtcNow();
        return new UsageBatch(Guid.CreateVersion7(now), now, usage, SpentByLevel(usage, gateway.Snapshot.Keys), SpentByProject(usage));
    }

    /// <summary>What each key spent, and each key above it.</summary>
    public static IReadOnlyDictionary<KeyId, Money> SpentByLevel(
        IEnumerable<KeyValuePair<UsageSubject, UsageSum>> usage, IReadOnlyDictionary<KeyId, GatewayKey> keys)
    {
        var spent = new Dictionary<KeyId, Money>();
        foreach (var (subject, sum) in usage)
        {
            KeyId? level = subject.Key;
            for (var depth = 0; level is { } key && depth <= GatewayOptions.MostKeyLevels && sum.Cost != Money.Zero; depth++)
            {
                spent[key] = spent.GetValueOrDefault(key) + sum.Cost;
                level = keys.TryGetValue(key, out var found) ? found.Parent : null;
            }
        }
        return spent;
    }

    public static IReadOnlyDictionary<ProjectId, Money> SpentByProject(IEnumerable<KeyValuePair<UsageSubject, UsageSum>> usage) =>
        usage.GroupBy(u => u.Key.Project).ToDictionary(of => of.Key, of => of.Aggregate(Money.Zero, (sum, u) => sum + u.Value.Cost));

    /// <returns>What the batch's projects have available after it.</returns>
    private IReadOnlyDictionary<ProjectId, Money> Write(WriteSession session, UsageBatch batch)
    {
        if (UsageRows.Begin(session, batch.Id, batch.At))
            Book(session, batch.Id, batch.At, batch.Usage, batch.Spent);
        return charges.Available(session, [.. batch.Costs.Keys]);
    }

    /// <param name="Spent">Per key, on every level.</param>
    /// <param name="Costs">Per project.</param>
    private sealed record UsageBatch(
        Guid Id, DateTimeOffset At, IReadOnlyCollection<KeyValuePair<UsageSubject, UsageSum>> Usage, IReadOnlyDictionary<KeyId, Money> Spent,
        IReadOnlyDictionary<ProjectId, Money> Costs);
}
