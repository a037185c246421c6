using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateways;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Alone;

/// <summary>
/// Once a second, and at once where somebody waits: (1) makes usage durable; (2) tells the server, where it is there, what it does not know; (3) takes its answer.
/// At the end it gives back what is borrowed and says goodbye.
/// </summary>
internal sealed partial class Reporter(
    AloneBook book, BudgetBorrowing borrowing, LoadWatch loads, AloneSnapshots snapshots, ReportWay way, TimeProvider time, ILogger<Reporter> logger)
    : BackgroundService, IWakesEndpoints
{
    private static readonly TimeSpan s_turn = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_rest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_longestSilence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_goodbye = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _soon = new(0, 1);
    private long _last;

    /// <summary>A request waits for a replica: the server hears of the load at once, and wakes the endpoint.</summary>
    public void Wake(EndpointId endpoint) => Soon();

    public void Soon()
    {
        try
        {
            _soon.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is asked for already.
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_goodbye);
        while (await TurnAsync(leaving: true, patience.Token) && !book.IsEmpty)
        {
            // What was summed while the server was away goes hour by hour.
        }
    }

    public override void Dispose()
    {
        _soon.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await _soon.WaitAsync(s_turn, stoppingToken);
                var more = await TurnAsync(leaving: false, stoppingToken) && !book.IsEmpty;
                if (more)
                    Soon();
                // Those who wait in the same moment are asked for together.
                await Task.Delay(s_rest, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops.
        }
        catch (Exception defect)
        {
            LogDeath(logger, defect);
            way.Host.StopApplication();
        }
    }

    /// <returns>Whether the server has answered.</returns>
    private async Task<bool> TurnAsync(bool leaving, CancellationToken cancellationToken)
    {
        // (1)
        var round = borrowing.Take();
        var now = time.GetUtcNow();
        UsageReport? usage = null;
        try
        {
            if (leaving)
                book.GiveBackAll();
            usage = book.Record(now);
        }
        catch (IOException full)
        {
            LogUnwritten(logger, full);
        }
        snapshots.Look();
        if (way.Link.IsAway)
        {
            round.Answered.TrySetResult(null);
            return false;
        }

        // (2)
        var returns = book.Returns();
        var asks = book.Wishes(now).Where(key => !round.Wants.ContainsKey(key)).Select(key => new BudgetAsk(key, Money.Zero))
            .Concat(round.Wants.Select(want => new BudgetAsk(want.Key, want.Value))).ToList();
        var (load, busy) = loads.Take();
        if (usage is null && asks.Count == 0 && returns.Count == 0 && load.Count == 0 && !leaving && time.GetElapsedTime(_last) < s_longestSilence)
        {
            round.Answered.TrySetResult(null);
            return true;
        }
        var report = new GatewayReport
        {
            Gateway = way.Id, Name = way.Name, Usage = usage, Asks = leaving ? [] : asks, Returns = returns, Loads = load, Replicas = busy, Leaving = leaving,
        };

        // (3)
        var reply = await SendAsync(report, cancellationToken);
        if (reply is not null)
            book.Replied(reply, returns);
        else
            book.Came();
        round.Answered.TrySetResult(reply);
        return reply is not null;
    }

    private async Task<ReportReply?> SendAsync(GatewayReport report, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(10));
        try
        {
            var reply = await way.Link.ReportAsync(report, patience.Token);
            _last = time.GetTimestamp();
            if (reply.Recalled.Count > 0)
                Soon();
            return reply;
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or ServerRefusedException or System.Text.Json.JsonException
            || (failed is OperationCanceledException && (report.Leaving || !cancellationToken.IsCancellationRequested)))
        {
            LogFailed(logger, failed.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A report did not reach the server and is sent again: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Usage could not be written to disk; it is in memory only until it can")]
    private static partial void LogUnwritten(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Reporting to the server died of a defect; the gateway stops")]
    private static partial void LogDeath(ILogger logger, Exception error);
}

/// <summary>Who reports, and to whom.</summary>
internal sealed record ReportWay(ServerLink Link, Guid Id, string Name, IHostApplicationLifetime Host);
