using System.Text;
using Cairn.Serving.Files;
using Cairn.State;

namespace Cairn.Serving.Batches;

/// <summary>Writes what came out of a batch: answers into one file, refusals and what never ran into the other, in the order of the lines.</summary>
internal sealed class BatchFiles(Store store, FileShelf shelf, BatchOptions options)
{
    private const int ReadAtOnce = 16;

    /// <summary>The input's lines; one that cannot be read is left out, for validation refused it.</summary>
    public async IAsyncEnumerable<BatchLine> LinesAsync(BatchRow batch, FileRow input, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var stream = await shelf.OpenAsync(input, cancellationToken);
        await foreach (var line in BatchInput.ReadAsync(stream, options.MostLineBytes, cancellationToken))
        {
            if (BatchLine.Parse(line, batch.Endpoint).Line is { } good)
                yield return good;
        }
    }

    /// <summary>Brings both files as far as their last step; null where there is nothing to write.</summary>
    /// <param name="input">Null where the batch's input is gone: then lines that never ran are not told of.</param>
    public async Task<(FileRow? Output, FileRow? Errors)> WriteAsync(BatchRow batch, BatchPhase end, FileRow? input, CancellationToken cancellationToken)
    {
        var now = shelf.Now;
        await using var output = await shelf.SpoolAsync(FileRow.NewId(now), cancellationToken);
        await using var errors = await shelf.SpoolAsync(FileRow.NewId(now), cancellationToken);
        var finished = new HashSet<int>();
        for (var after = 0; ;)
        {
            var page = await store.ReadAsync(session => BatchRows.Results(session, batch.Id, after, ReadAtOnce), cancellationToken);
            foreach (var (line, succeeded, result) in page)
            {
                await WriteAsync(succeeded ? output : errors, result, cancellationToken);
                finished.Add(after = line);
            }
            if (page.Count < ReadAtOnce)
                break;
        }
        if (end is BatchPhase.Expired or BatchPhase.Cancelled && input is not null)
        {
            await foreach (var line in LinesAsync(batch, input, cancellationToken))
            {
                if (!finished.Contains(line.Number))
                    await WriteAsync(errors, BatchAnswers.Unrun(batch, line, end), cancellationToken);
            }
        }
        return (await PlaceAsync(batch, output, "output", cancellationToken), await PlaceAsync(batch, errors, "error", cancellationToken));
    }

    private static Task WriteAsync(FileSpool spool, string line, CancellationToken cancellationToken) => spool.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken);

    private async Task<FileRow?> PlaceAsync(BatchRow batch, FileSpool spool, string kind, CancellationToken cancellationToken)
    {
        if (spool.Bytes == 0)
            return null;
        var now = shelf.Now;
        var lives = batch.OutputSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : FileExpiry.OfBatches;
        var draft = new FileRow
        {
            ProjectId = batch.ProjectId, KeyId = batch.KeyId, Purpose = "batch_output", Name = $"{batch.Id}_{kind}.jsonl", CreatedAt = now, ExpiresAt = now + lives,
        };
        return await shelf.PlaceAsync(draft, spool, bounded: false, cancellationToken);
    }
}
