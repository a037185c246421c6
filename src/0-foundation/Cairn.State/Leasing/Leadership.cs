using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.State;

/// <summary>
/// Of the servers that share a database one leads: it does all that one server must do alone, under one lease, so that what hangs together
/// is never torn between two. (1) Waits for the lease; (2) leads, until the lease is lost or this server stops; then back to (1). A store
/// that fails for the moment is asked again after a second. Among the host's services it comes before all that run under it: services end
/// in reverse, so the lease is given back when nothing runs under it any more.
/// </summary>
/// <param name="store">Keeps the lease.</param>
/// <param name="time">How long the lease outlives a server that died; 15 s is usual. Shorter takes over sooner and suffers more from pauses.</param>
/// <param name="host">Is stopped by a defect.</param>
/// <param name="logger">Hears of changes.</param>
public sealed partial class Leadership(Store store, TimeSpan time, IHostApplicationLifetime host, ILogger<Leadership> logger) : BackgroundService
{
    /// <summary>The lease's name.</summary>
    public const string LeaseName = "fleet";

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private TaskCompletionSource<Lead> _taken = NewTaken();
    private Term? _term;

    /// <summary>This server's time as the leader; null while it does not lead.</summary>
    public Lead? Current
    {
        get
        {
            lock (_gate)
                return _term?.Lead;
        }
    }

    /// <summary>Returns once this server leads.</summary>
    public Task<Lead> TakenAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
            return _taken.Task.WaitAsync(cancellationToken);
    }

    /// <summary>A write was refused: another has the lease, and nothing goes on under it here. Does nothing to a later lead.</summary>
    internal void Lost(Fence fence)
    {
        Term? term;
        lock (_gate)
            term = _term;
        if (term?.Lead.Fence == fence)
            End(term);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await LeadAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (StoreException error) when (error.IsTransient)
            {
                LogPause(logger, error, s_pause);
                await Task.Delay(s_pause, store.Time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception error)
            {
                LogDeath(logger, error);
                host.StopApplication();
                return;
            }
        }
    }

    private async Task LeadAsync(CancellationToken stoppingToken)
    {
        // (1)
        await using var lease = await LeaseHolder.AcquireAsync(store, LeaseName, time, stoppingToken);

        // (2)
        using var term = new Term(lease.Fence);
        LogTaken(logger, lease.Fence.Epoch);
        lock (_gate)
        {
            _term = term;
            _taken.SetResult(term.Lead);
        }
        await using (lease.Lost.UnsafeRegister(_ => End(term), null))
        await using (stoppingToken.UnsafeRegister(_ => End(term), null))
            await term.Ended;
        if (!stoppingToken.IsCancellationRequested)
            LogLost(logger, lease.Fence.Epoch);
    }

    /// <summary>Whoever is told that the lead is over, and asks for the next one, does not get this one again.</summary>
    private void End(Term term)
    {
        lock (_gate)
        {
            if (_term != term)
                return;
            _term = null;
            _taken = NewTaken();
        }
        term.End();
    }

    private static TaskCompletionSource<Lead> NewTaken() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A lead, from the side of who ends it.</summary>
    private sealed class Term : IDisposable
    {
        private readonly CancellationTokenSource _over = new();
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Term(Fence fence) => Lead = new Lead(fence, _over.Token);

        public Lead Lead { get; }

        public Task Ended => _ended.Task;

        public void End()
        {
            _over.Cancel();
            _ended.SetResult();
        }

        public void Dispose() => _over.Dispose();
    }
}
