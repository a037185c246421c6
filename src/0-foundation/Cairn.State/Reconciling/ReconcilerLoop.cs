using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.State;

/// <summary>
/// Runs one reconciler for as long as the host runs: (1) waits until this server leads, where only the leader runs it; (2) takes a turn; (3)
/// waits for the signal or the timer, and goes back to (2). A lost lead goes back to (1). A store that fails for the moment is asked again after a pause that
/// doubles from 100 ms to 10 s. Anything else is a defect: it is logged as critical, and the host stops.
/// </summary>
public sealed partial class ReconcilerLoop(
    Reconciler reconciler, Store store, IHostApplicationLifetime host, ILogger<ReconcilerLoop> logger, Leadership? leadership = null)
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
                await LeadAndRunAsync(wake, () => pause = s_firstPause, stoppingToken);
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

    private async Task LeadAndRunAsync(SignalSubscription wake, Action onTurn, CancellationToken stoppingToken)
    {
        if (leadership is null || !reconciler.OnlyLeader)
        {
            await TakeTurnsAsync(null, wake, onTurn, stoppingToken);
            return;
        }

        // (1)
        var lead = await leadership.TakenAsync(stoppingToken);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(lead.Over, stoppingToken);
        try
        {
            await TakeTurnsAsync(lead.Fence, wake, onTurn, either.Token);
        }
        catch (Exception error) when (IsLoss(error, lead))
        {
            leadership.Lost(lead.Fence);
            if (!stoppingToken.IsCancellationRequested)
                LogLeadOver(logger, reconciler.Name, lead.Fence.Epoch);
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

    private static bool IsLoss(Exception error, Lead lead) =>
        (error is OperationCanceledException && lead.Over.IsCancellationRequested)
        || (error is FenceLostException lost && lost.Fence == lead.Fence);
}

/// <summary>Registers reconcilers with a host.</summary>
public static class ReconcilerRegistration
{
    /// <summary>
    /// Runs a reconciler while the host runs; needs a <see cref="Store"/> among the services, and, where servers share its database, a
    /// <see cref="Leadership"/>.
    /// </summary>
    public static IServiceCollection AddReconciler(this IServiceCollection services, Func<IServiceProvider, Reconciler> reconciler) =>
        services.AddSingleton<IHostedService>(provider => new ReconcilerLoop(
            reconciler(provider),
            provider.GetRequiredService<Store>(),
            provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<ILogger<ReconcilerLoop>>(),
            provider.GetService<Leadership>()));

    /// <summary>Other servers share the database: one of them leads. Comes before the reconcilers.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="time">How long the lease outlives a leader that died.</param>
    public static IServiceCollection AddLeadership(this IServiceCollection services, TimeSpan time) => services
        .AddSingleton(provider => new Leadership(
            provider.GetRequiredService<Store>(), time, provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<ILogger<Leadership>>()))
        .AddHostedService(provider => provider.GetRequiredService<Leadership>());
}
