using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Durable;
using Cairn.Node.Files;

namespace Cairn.Node.Tasks;

/// <summary>What a task keeps and leaves: its checkpoint folder across attempts, and its outputs.</summary>
internal sealed partial class NodeTask
{
    private const string CheckpointName = "checkpoint";

    private readonly Dictionary<string, PendingOutput> _outputs = [];

    private sealed record PendingOutput(TaskOutput Message, TaskCompletionSource Acknowledged);

    /// <summary>The job's checkpoint folder on this node; null where the workload has none.</summary>
    private string? CheckpointFolder => _start.CheckpointPath.Length > 0 ? _folder.CheckpointOf(_start.JobId) : null;

    /// <summary>
    /// The folder lies outside the task, so that the next attempt on this node finds it; the working directory has a link to it. What an
    /// attempt elsewhere left replaces what is here, unless it is the same.
    /// </summary>
    private async Task PrepareCheckpointAsync(Checkout checkout, CancellationToken cancellationToken)
    {
        if (CheckpointFolder is not { } folder)
            return;
        var path = _start.CheckpointPath.TrimEnd('/');
        if (!ManifestRules.IsInside(path) || !Guid.TryParse(_start.JobId, out _))
            throw new BlobException($"the checkpoint path '{_start.CheckpointPath}' is not a relative path inside the working directory");
        if (_start.Checkpoint is { Files.Count: > 0 } left
            && (await Collect.FolderAsync(folder, cancellationToken))?.Manifest.RootHash != ManifestHash.Of(left.Files))
        {
            FileTree.Delete(folder);
            await checkout.WriteAsync(Id, left, folder, cancellationToken);
        }
        Directory.CreateDirectory(folder, FolderMode);
        Directory.SetLastWriteTimeUtc(folder, _node.Clock.GetUtcNow().UtcDateTime);
        var link = Path.Combine(_folder.Workdir, path);
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.CreateSymbolicLink(link, folder);
    }

    /// <summary>The uploaded working directory must not write through the link into the kept checkpoints.</summary>
    private FileManifest WithoutCheckpoint(FileManifest workdir)
    {
        if (CheckpointFolder is null)
            return workdir;
        var path = _start.CheckpointPath.TrimEnd('/');
        var kept = new FileManifest();
        kept.Files.Add(workdir.Files.Where(f => f.Path != path && !f.Path.StartsWith(path + "/", StringComparison.Ordinal)));
        return kept;
    }

    /// <summary>Stores the outputs of a success, and the checkpoint of every end.</summary>
    private async Task<TaskEnd> CollectAsync(TaskEnd end, CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        try
        {
            if (CheckpointFolder is { } folder && await Collect.FolderAsync(folder, cancellationToken) is { Manifest.Files.Count: > 0 } checkpoint)
                await StoreLastAsync(CheckpointName, checkpoint, isCheckpoint: true, cancellationToken);
            foreach (var output in end.Reason == EndReasons.Succeeded ? _start.Outputs.AsEnumerable() : [])
            {
                var collected = await Collect.PathAsync(_folder.Workdir, output.Path, cancellationToken);
                if (collected is null)
                    missing.Add($"the output '{output.Name}' is not at '{output.Path}'");
                else
                    await StoreLastAsync(output.Name, collected, isCheckpoint: false, cancellationToken);
            }
        }
        catch (Exception e) when (e is BlobException or IOException or UnauthorizedAccessException)
        {
            LogProblem(_node.Logger, Id, e.Message);
            return end.Reason == EndReasons.Succeeded ? new TaskEnd(EndReasons.OutputsFailed, e.Message, end.ExitCode) : end;
        }
        return missing.Count == 0 ? end : end with { Message = string.Join("; ", missing) };
    }

    /// <summary>Stores an output of the ended task, unless an earlier daemon did.</summary>
    private async Task StoreLastAsync(string name, Collected collected, bool isCheckpoint, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_record.DeliveredOutputs.Contains(name))
                return;
        }
        await StoreAsync(name, collected, isCheckpoint, cancellationToken);
        lock (_gate)
        {
            _record.DeliveredOutputs.Add(name);
            Save(durable: false);
        }
    }

    /// <summary>
    /// Stores the checkpoint folder at its interval while the task runs, where it changed. A folder that was written to within the last
    /// moments is left for the next look, and a file that changes while it is read has another hash than was said and is refused whole:
    /// so what is stored is as consistent as the task writes it.
    /// </summary>
    private async Task StoreCheckpointsAsync(CancellationToken runEnds, CancellationToken cancellationToken)
    {
        if (CheckpointFolder is not { } folder || _start.CheckpointIntervalSeconds <= 0)
            return;
        var stored = _start.Checkpoint is { } left ? ManifestHash.Of(left.Files) : null;
        var interval = TimeSpan.FromSeconds(Math.Min(_start.CheckpointIntervalSeconds, 7 * 86_400));
        while (await Elapses(interval, runEnds))
        {
            try
            {
                // A folder that never settles is stored as it is: a file that changes meanwhile fails its hash, which is logged and tried again.
                for (var waits = 0; waits < MostSettleWaits && WasJustWritten(folder) && await Elapses(s_settleTime, runEnds);)
                    waits++;
                if (!runEnds.IsCancellationRequested && await Collect.FolderAsync(folder, cancellationToken) is { Manifest.Files.Count: > 0 } checkpoint
                    && checkpoint.Manifest.RootHash != stored)
                {
                    // A round that has begun is finished, so that its acknowledgement is not taken for that of the last one.
                    await StoreAsync(CheckpointName, checkpoint, isCheckpoint: true, cancellationToken);
                    stored = checkpoint.Manifest.RootHash;
                }
            }
            catch (Exception e) when (e is BlobException or IOException or UnauthorizedAccessException)
            {
                LogProblem(_node.Logger, Id, $"a checkpoint was not stored: {e.Message}");
            }
        }
    }

    private const int MostSettleWaits = 30;

    private static readonly TimeSpan s_settleTime = TimeSpan.FromSeconds(1);

    private bool WasJustWritten(string folder)
    {
        var now = _node.Clock.GetUtcNow().UtcDateTime;
        return FileTree.Walk(folder).Any(entry => entry.LastWriteTimeUtc > now - s_settleTime);
    }

    private async Task<bool> Elapses(TimeSpan time, CancellationToken cancellationToken)
    {
        await Task.Delay(time, _node.Clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !cancellationToken.IsCancellationRequested;
    }

    /// <summary>(1) The blobs, (2) the manifest, again after each reconnect, (3) until the server has it.</summary>
    private async Task StoreAsync(string name, Collected collected, bool isCheckpoint, CancellationToken cancellationToken)
    {
        if (collected.Skipped.Count > 0)
            LogProblem(_node.Logger, Id, $"{collected.Skipped.Count} entries of '{name}' are neither files nor links that stay inside and were left out");
        await Parallel.ForEachAsync(collected.PathByHash, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellationToken },
            async (blob, token) => await _node.Blobs.StoreAsync(Id, blob.Key, blob.Value, token));
        var pending = new PendingOutput(
            new TaskOutput { TaskId = Id, Epoch = Epoch, Name = name, Manifest = collected.Manifest, Checkpoint = isCheckpoint },
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
            _outputs[name] = pending;
        _node.Link.Send(new NodeMessage { Output = pending.Message });
        await pending.Acknowledged.Task.WaitAsync(cancellationToken);
    }
}
