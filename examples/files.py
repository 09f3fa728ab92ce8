"""Files and conversations: OpenAI's files API on Tess's files: docs/files.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID.
"""

import io

from tess_openai import changes_of, create_client

with create_client() as client:
    file = client.files.create(file=("notes.txt", io.BytesIO(b"The sea is blue.")), purpose="assistants")
    print(f"Uploaded {file.filename}, {file.bytes} bytes: Tess calls it {file.id}")

    completion = client.chat.completions.create(
        model="tess-6",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What colour is the sea?"},
                    {"type": "file", "file": {"file_id": file.id}},
                ],
            }
        ],
    )
    print(completion.choices[0].message.content)
    for change in changes_of(completion):
        print(f"   {change}")

    print("Files of this key:", ", ".join(each.filename for each in client.files.list()))
    print("Deleted:", client.files.delete(file.id).deleted)

with create_client(attachments="upload") as client:
    print("\nAn image within a message is uploaded, once")
    image = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMB"
        "AQDJ/pLvAAAAAElFTkSuQmCC"
    )
    completion = client.chat.completions.create(
        model="tess-6",
        messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": image}}]}],
    )
    print(completion.choices[0].message.content)
    for change in changes_of(completion):
        print(f"   {change}")
