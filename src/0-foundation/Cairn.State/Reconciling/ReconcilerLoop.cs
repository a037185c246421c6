using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.State;

/// <summary>
/// Runs one reconciler for as long as the host runs: (1) acquires its lease, if it asks for one; (2) takes a turn; (3) waits for the signal
/// or the timer, and goes back to (2). A lost lease leads back to (1). A store that fails for the moment is asked again after a pause that
/// doubles from 100 ms to 10 s. Anything else is a defect: it is logged as critical, and the host stops.
/// </summary>
public sealed partial class ReconcilerLoop(
    Reconciler reconciler, Store store, IHostApplicationLifetime host, ILogger<ReconcilerLoop> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A turn may block before its first await, and the host waits for that.
        await Task.Yield();
        using var wake = store.Signals.Subscribe(reconciler.Signal);
        var pause = s_firstPause;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await HoldAndRunAsync(wake, () => pause = s_firstPause, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (StoreException error) when (error.IsTransient)
            {
                LogPause(logger, error, reconciler.Name, pause);
                await Task.Delay(pause, store.Time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
            }
            catch (Exception error)
            {
                LogDeath(logger, error, reconciler.Name);
                host.StopApplication();
                return;
            }
        }
    }

    private async Task HoldAndRunAsync(SignalSubscription wake, Action onTurn, CancellationToken stoppingToken)
    {
        if (reconciler.Lease is null)
        {
            await TakeTurnsAsync(null, wake, onTurn, stoppingToken);
            return;
        }

        // (1)
        await using var lease = await LeaseHolder.AcquireAsync(store, reconciler.Lease, reconciler.LeaseTime, stoppingToken);
        LogLeaseAcquired(logger, reconciler.Name, lease.Fence.Epoch);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, stoppingToken);
        try
        {
            await TakeTurnsAsync(lease.Fence, wake, onTurn, either.Token);
        }
        catch (Exception error) when (!stoppingToken.IsCancellationRequested && IsLoss(error, lease))
        {
            LogLeaseLost(logger, reconciler.Name, lease.Fence.Epoch);
        }
    }

    private async Task TakeTurnsAsync(Fence? fence, SignalSubscription wake, Action onTurn, CancellationToken cancellationToken)
    {
        while (true)
        {
            // (2)
            cancellationToken.ThrowIfCancellationRequested();
            var start = Stopwatch.GetTimestamp();
            await reconciler.ReconcileAsync(fence, cancellationToken);
            StateMetrics.Reconciled(reconciler.Name, Stopwatch.GetElapsedTime(start));
            onTurn();
            // (3)
            await wake.WaitAsync(reconciler.Interval, cancellationToken);
        }
    }

    private static bool IsLoss(Exception error, LeaseHolder lease) =>
        (error is OperationCanceledException && lease.Lost.IsCancellationRequested)
        || (error is FenceLostException lost && lost.Fence == lease.Fence);
}

/// <summary>Registers reconcilers with a host.</summary>
public static class ReconcilerRegistration
{
    /// <summary>Runs a reconciler while the host runs; needs a <see cref="Store"/> among the services.</summary>
    public static IServiceCollection AddReconciler(this IServiceCollection services, Func<IServiceProvider, Reconciler> reconciler) =>
        services.AddSingleton<IHostedService>(provider => new ReconcilerLoop(
            reconciler(provider),
            provider.GetRequiredService<Store>(),
            provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<ILogger<ReconcilerLoop>>()));
}
