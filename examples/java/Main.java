import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;

public final class Main {
    public static void main(String[] arguments) {
        // The client reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
        AnthropicClient client = AnthropicOkHttpClient.fromEnv();
        MessageCreateParams params = MessageCreateParams.builder()
                .model("claude-sonnet-5")
                .maxTokens(200L)
                .addUserMessage("Hello, Claude")
                .build();
        Message message = client.messages().create(params);
        message.content().forEach(block -> block.text().ifPresent(text -> System.out.println(text.text())));
        System.out.println(message.usage().outputTokens() + " output tokens");
        client.close();
    }
}
