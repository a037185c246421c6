using System.Buffers;
using Cairn.Serving.Gateway.Calls;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.OpenInference.Grpc;

/// <summary>Hands a replica's answer to the client as it comes, its headers before it and its trailers behind it.</summary>
internal static class GrpcRelay
{
    private const int BufferBytes = 32 << 10;

    /// <summary>What belongs to a connection and not to a call.</summary>
    private static readonly HashSet<string> s_hop = new(StringComparer.OrdinalIgnoreCase) { "date", "server", "transfer-encoding", "connection", "content-length" };

    /// <param name="hold">Whether nothing is told before the first byte, so that a failure without one may be tried elsewhere.</param>
    /// <param name="alive">Called for every piece.</param>
    /// <exception cref="IOException">The replica's answer broke off.</exception>
    public static async Task<OpenInferenceEnd> RunAsync(HttpContext context, HttpResponseMessage response, string model, bool hold, Action alive, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            return Failed(model, $"status {(int)response.StatusCode}");
        var status = GrpcAnswers.StatusIn(response.Headers);
        if (hold && GrpcAnswers.Fails(status))
            return Failed(model, $"grpc-status {status}");
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            var count = hold ? await stream.ReadAsync(buffer, cancellationToken) : -1;
            if (count == 0 && GrpcAnswers.Fails(status ??= GrpcAnswers.StatusIn(response.TrailingHeaders)))
                return Failed(model, $"grpc-status {status}");
            Begin(context, response);
            if (count < 0)
            {
                // Headers that tell the status already are all there is, and go as one with the end.
                if (status is null)
                    await context.Response.Body.FlushAsync(cancellationToken);
                count = await stream.ReadAsync(buffer, cancellationToken);
            }
            while (count > 0)
            {
                alive();
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                await context.Response.Body.FlushAsync(cancellationToken);
                count = await stream.ReadAsync(buffer, cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        foreach (var (name, values) in response.TrailingHeaders.NonValidated)
            context.Response.AppendTrailer(name, values.ToString());
        status ??= GrpcAnswers.StatusIn(response.TrailingHeaders);
        if (status is null)
            throw new IOException("it ended without a status");
        var words = status == 0 ? "answered" : $"grpc-status {status}";
        return GrpcAnswers.Fails(status) ? OpenInferenceEnd.Poor(GrpcAnswers.HttpOf(status.Value), words) : OpenInferenceEnd.Answered(GrpcAnswers.HttpOf(status.Value), words);
    }

    private static OpenInferenceEnd Failed(string model, string why) => OpenInferenceEnd.Failed(CallError.AllFailed(model, why), why, again: true);

    private static void Begin(HttpContext context, HttpResponseMessage response)
    {
        foreach (var headers in new[] { response.Headers.NonValidated, response.Content.Headers.NonValidated })
        {
            foreach (var (name, values) in headers)
            {
                if (!s_hop.Contains(name))
                    context.Response.Headers[name] = values.ToArray();
            }
        }
    }
}
