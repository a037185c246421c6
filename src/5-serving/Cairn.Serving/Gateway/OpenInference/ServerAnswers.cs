using System.Buffers;
using System.Buffers.Binary;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.OpenInference.Grpc;
using Cairn.Serving.Gateway.Snapshots;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Gateway.OpenInference;

/// <summary>
/// What the Open Inference Protocol asks of the server itself: to its clients the gateway is one, with all models that their key may call. Whether it lives and is ready is told
/// to anybody; it is ready once it knows its keys and models.
/// </summary>
internal sealed class ServerAnswers(InferenceGateway gateway, OpenInferenceDesk desk)
{
    private const string Name = "cairn";
    private const int MostRequestBytes = 64 << 10;
    private static readonly string s_version = typeof(ServerAnswers).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    private bool Ready => gateway.State.Snapshot.Version > 0;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v2/health/live", context => context.Response.WriteAsJsonAsync(new { live = true }, context.RequestAborted));
        routes.MapGet("/v2/health/ready", context =>
        {
            context.Response.StatusCode = Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsJsonAsync(new { ready = Ready }, context.RequestAborted);
        });
        routes.MapGet("/v2", context => ForAsync(context, _ => new { name = Name, version = s_version, extensions = Array.Empty<string>() }));
        routes.MapGet("/v2/models", context => ForAsync(context, key => new { models = Models(key, context).Select(m => m.Name.Model) }));
        routes.MapPost("/v2/repository/index", async context =>
        {
            var onlyReady = await AsksForReadyInJsonAsync(context);
            await ForAsync(context, key => Index(key, context, onlyReady).Select(m => new { name = m.Model, state = m.State, reason = m.Reason }));
        });
        routes.MapPost("/v2/repository/models/{**model}", context => OpenInferenceForward.FailAsync(context, GrpcAnswers.NotControlled));
    }

    /// <summary>Answers a call of gRPC that concerns the server.</summary>
    /// <returns>What the client is still to be told.</returns>
    public async Task<CallError?> TryAnswerAsync(HttpContext context, string method)
    {
        var (caller, unknown) = method is "ServerLive" or "ServerReady" ? (null, null) : desk.Authenticate(context.Request);
        if (unknown is not null)
            return unknown;
        var onlyReady = method == "RepositoryIndex" && await AsksForReadyAsync(context);
        Action<CodedOutputStream>? answer = method switch
        {
            "ServerLive" => o => Flag(o, true),
            "ServerReady" => o => Flag(o, Ready),
            "ServerMetadata" => WriteMetadata,
            "RepositoryIndex" => o => WriteIndex(o, Index(caller!.Value.Key, context, onlyReady)),
            _ => null,
        };
        if (answer is null)
            return method is "RepositoryModelLoad" or "RepositoryModelUnload" ? GrpcAnswers.NotControlled : GrpcAnswers.NoMethod(method.Length > 64 ? method[..64] + "…" : method);
        context.Response.ContentType = GrpcAnswers.ContentType;
        await context.Response.Body.WriteAsync(Message(answer), context.RequestAborted);
        context.Response.AppendTrailer(GrpcAnswers.StatusHeader, "0");
        return null;
    }

    private async Task ForAsync(HttpContext context, Func<GatewayKey, object> answer)
    {
        var (caller, unknown) = desk.Authenticate(context.Request);
        if (caller is null)
            await OpenInferenceForward.FailAsync(context, unknown!);
        else
            await context.Response.WriteAsJsonAsync(answer(caller.Value.Key), context.RequestAborted);
    }

    /// <summary>Those with replicas: providers outside do not speak this protocol.</summary>
    private IEnumerable<ModelRoute> Models(GatewayKey key, HttpContext context) => Admission.Models(key, gateway.State, context).Where(m => m.Targets.Any(t => t is PoolTarget));

    private IEnumerable<(string Model, string State, string Reason)> Index(GatewayKey key, HttpContext context, bool onlyReady)
    {
        foreach (var model in Models(key, context))
        {
            if (model.Targets.OfType<PoolTarget>().Any(t => t.Replicas.Any(r => r is { Ready: true, Draining: false })))
                yield return (model.Name.Model, "READY", "");
            else if (!onlyReady)
                yield return (model.Name.Model, "UNAVAILABLE", "no replica is ready; a request wakes one");
        }
    }

    /// <summary><c>{"ready":true}</c>; whatever cannot be read asks for all.</summary>
    private static async Task<bool> AsksForReadyInJsonAsync(HttpContext context)
    {
        var read = await context.Request.BodyReader.ReadAtLeastAsync(MostRequestBytes, context.RequestAborted);
        var json = BuffersExtensions.ToArray(read.Buffer.Slice(0, Math.Min(read.Buffer.Length, MostRequestBytes)));
        context.Request.BodyReader.AdvanceTo(read.Buffer.End);
        try
        {
            return JsonNode.Parse(json) is JsonObject body && body["ready"] is JsonValue ready && ready.TryGetValue(out bool only) && only;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>RepositoryIndexRequest has a field <c>ready</c>, number 2.</summary>
    private static async Task<bool> AsksForReadyAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        var read = await reader.ReadAtLeastAsync(MostRequestBytes, context.RequestAborted);
        var bytes = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, MostRequestBytes));
        var message = BuffersExtensions.ToArray(bytes).AsSpan();
        reader.AdvanceTo(read.Buffer.End);
        // Its one other field is the repository's name, of which there is one here.
        return message.EndsWith((ReadOnlySpan<byte>)[2 << 3, 1]);
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var memory = new MemoryStream();
        memory.Write(stackalloc byte[ModelRename.PrefixBytes]);
        using (var output = new CodedOutputStream(memory, leaveOpen: true))
            write(output);
        var message = memory.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length - ModelRename.PrefixBytes);
        return message;
    }

    private static void Flag(CodedOutputStream output, bool value)
    {
        output.WriteTag(1, WireFormat.WireType.Varint);
        output.WriteBool(value);
    }

    private static void Text(CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(value);
    }

    private static void WriteMetadata(CodedOutputStream output)
    {
        Text(output, 1, Name);
        Text(output, 2, s_version);
    }

    private static void WriteIndex(CodedOutputStream output, IEnumerable<(string Model, string State, string Reason)> models)
    {
        foreach (var (model, state, reason) in models)
        {
            using var memory = new MemoryStream();
            using (var index = new CodedOutputStream(memory, leaveOpen: true))
            {
                Text(index, 1, model);
                Text(index, 3, state);
                Text(index, 4, reason);
            }
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(memory.ToArray()));
        }
    }
}
