using Cairn.Contracts.Jobs;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Limits;
using Cairn.Fleet.Placement;
using Cairn.Fleet.Recovery;
using Cairn.Fleet.Reports;
using Cairn.State;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// Moves every job. One turn: (1) takes what waits in the inbox; (2) decides in memory what follows from it, from time and from the room
/// there is; (3) writes all of it in one transaction; (4) lets it out: commands, acknowledgements, wakes.
/// Memory is a copy of rows that only this changes. When a write fails the copy is thrown away and made again, and the inputs are taken
/// once more: each is idempotent.
/// </summary>
internal sealed partial class JobReconciler
{
    private const int MostInputs = 4_096;

    private readonly FleetParts _parts;
    private readonly FleetInbox _inbox;
    private readonly TurnInputs _inputs;
    private readonly TurnOutlet _outlet;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Queue<FleetInput> _again = new();
    private bool _loaded;
    private Fence? _fence;
    private long? _placeAgainAt;

    public JobReconciler(FleetParts parts, FleetInbox inbox, TurnInputs inputs, TurnOutlet outlet, ILogger<JobReconciler> logger)
    {
        (_parts, _inbox, _inputs, _outlet, _logger) = (parts, inbox, inputs, outlet, logger);
        _time = parts.Time;
        _timer = _time.CreateTimer(_ => inbox.Post(new FleetInput.TimeCame()), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Takes turns until nothing waits. The loop around it holds the lease, waits for signals, and pauses when the store fails.
    /// </summary>
    public async Task ReconcileAsync(Fence? fence, CancellationToken cancellationToken)
    {
        if (!_loaded || _fence != fence)
            await LoadAsync(fence, cancellationToken);
        while (true)
        {
            var inputs = Take();
            if (inputs.Count == 0 && NextDue() > Now())
                break;
            await TakeTurnAsync(inputs, cancellationToken);
        }
        ArmTimer();
    }

    private async Task TakeTurnAsync(IReadOnlyList<FleetInput> inputs, CancellationToken cancellationToken)
    {
        var turn = new Turn(Now());
        var start = _time.GetTimestamp();
        try
        {
            // (2)
            foreach (var input in inputs)
                _inputs.Apply(turn, input);
            DecideByTime(turn);
            _placeAgainAt = _parts.Placement.Run(turn);

            // (3)
            if (turn.HasRows)
                await _parts.Store.WriteAsync(session => Write(session, turn), CancellationToken.None);
        }
        catch
        {
            // What memory holds may not be what rows hold.
            _loaded = false;
            _parts.Board.Distrust();
            foreach (var input in inputs)
                _again.Enqueue(input);
            throw;
        }

        // (4)
        JobInstruments.Turned(turn, inputs.Count, _time.GetElapsedTime(start));
        await _outlet.LetOutAsync(turn, cancellationToken);
        foreach (var job in turn.OutOfFunds)
            _inbox.Post(new FleetInput.StopAsked(job.Id,
                new StopOrder(EndReasons.Funds, "The project's money does not last until the next charge.", null)));
    }

    private void Write(WriteSession session, Turn turn)
    {
        if (_fence is not null)
            session.RequireFence(_fence);
        turn.Write(session, _parts.Funds);
    }

    private void DecideByTime(Turn turn)
    {
        foreach (var (job, breach) in _parts.Limits.Due(turn.Now))
            _parts.Life.Stop(turn, job, new StopOrder(breach.Reason, breach.Message, null));
        _parts.Metering.Run(turn);
        _parts.Reports.FlushWhenDue(turn);
    }

    private async Task LoadAsync(Fence? fence, CancellationToken cancellationToken)
    {
        if (_fence != fence)
            ForgetInputs();
        (_fence, _loaded) = (fence, false);
        var jobs = await _parts.Store.ReadAsync(JobRows.LoadLive, cancellationToken);
        _parts.Clear();
        _parts.Metering.Begin(Now());
        _inputs.LearnAllNodes();
        // What is held comes first: ranks that are placed again join the gang's held ones.
        foreach (var job in jobs)
            _parts.Board.Add(job);
        foreach (var task in _parts.Board.Tasks)
            _parts.Queue.Adopt(task);
        foreach (var job in jobs)
            _parts.Life.Arrive(job);

        var turn = new Turn(Now());
        _inputs.CatchUp(turn, jobs);
        await _parts.Store.WriteAsync(session => Write(session, turn), CancellationToken.None);
        _loaded = true;
        _parts.Board.Fill(fence);
        LogLoaded(_logger, jobs.Count, _parts.Board.Tasks.Count());
        await _outlet.LetOutAsync(turn, cancellationToken);
    }

    /// <summary>
    /// What came while another server led is in the rows, where it matters, and may be long over. But nodes that wait for an answer get one.
    /// </summary>
    private void ForgetInputs()
    {
        List<FleetInput> waiting = [.. _again, .. _inbox.Take(int.MaxValue)];
        _again.Clear();
        foreach (var input in waiting.OfType<FleetInput.NodeAttached>())
            _again.Enqueue(input);
    }

    private IReadOnlyList<FleetInput> Take()
    {
        var inputs = _inbox.Take(MostInputs);
        if (_again.Count == 0)
            return inputs;
        List<FleetInput> all = [.. _again, .. inputs];
        _again.Clear();
        return all;
    }

    private long Now() => Micros.Of(_time.GetUtcNow());

    /// <summary>When something happens by itself: a limit, a charge, a job whose time has come, a state to write.</summary>
    private long NextDue()
    {
        var next = Math.Min(_parts.Limits.NextAt, Math.Min(_placeAgainAt ?? long.MaxValue, _parts.Reports.FlushAt));
        return _parts.Board.JobCount > 0 ? Math.Min(next, _parts.Metering.NextAt) : next;
    }

    private void ArmTimer()
    {
        var due = NextDue();
        _timer.Change(
            due == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMicroseconds(Math.Clamp(due - Now(), 1_000, 60_000_000)),
            Timeout.InfiniteTimeSpan);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Jobs} jobs with {Tasks} tasks are under way")]
    private static partial void LogLoaded(ILogger logger, int jobs, int tasks);
}
